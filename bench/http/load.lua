-- wrk's requests: the body of the file BODY, of the type TYPE, posted again and again; with INTERVAL,
-- each connection waits so many milliseconds between two, on average.
wrk.method = "POST"
wrk.body = io.open(os.getenv("BODY"), "rb"):read("*a")
wrk.headers["Content-Type"] = os.getenv("TYPE")

local interval = tonumber(os.getenv("INTERVAL") or "")
if interval then
    function delay()
        return math.floor(2 * interval * math.random() + 0.5)
    end
end
