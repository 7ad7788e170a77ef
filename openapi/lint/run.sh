#!/bin/sh
# Lints the contract, makes its types and compiles a client of them, and renders it. Packages go to
# the directory that is given; package.json has their versions.
set -e
cd "$(dirname "$0")/../.."
document=$PWD/openapi.yaml directory=$1
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true

command -v npm >/dev/null || { echo 'lint-openapi needs npm (Debian: nodejs, npm).'; exit 1; }
mkdir -p "$directory"
cmp -s openapi/lint/package.json "$directory/package.json" || fresh=yes
cp openapi/lint/* "$directory"
cd "$directory"
if [ -n "$fresh" ] || [ ! -d node_modules ]; then
    npm install --no-audit --no-fund --ignore-scripts --legacy-peer-deps --loglevel=error \
        --no-package-lock || { rm package.json; exit 1; }
fi
PATH=$PWD/node_modules/.bin:$PATH

# Shows what a command says only if it fails.
quietly() { "$@" >log 2>&1 || { cat log; exit 1; }; }

quietly redocly lint --config redocly.yaml "$document"
echo 'redocly: 0 errors, 0 warnings'
quietly spectral lint --ruleset spectral.yaml --fail-severity hint "$document"
echo 'spectral: 0 errors, 0 warnings'

quietly openapi-typescript "$document" --output contract.d.ts
# Only a header that the contract does not name has an unknown type.
if sed 's:/\*.*\*/::; /^ *\*/d; /\[name: string\]: unknown/d' contract.d.ts | grep -w unknown; then
    exit 1
fi
quietly tsc --noEmit --strict --skipLibCheck --module esnext --moduleResolution bundler types.ts
echo 'openapi-typescript: no unknown types, a client compiles'

quietly redocly build-docs --config redocly.yaml "$document" --output redoc.html
for browser in chromium chromium-browser google-chrome ''; do
    command -v "$browser" >/dev/null && break
done
if [ -n "$browser" ]; then
    node render.mjs "$(command -v "$browser")" "$document"
else
    echo 'Redoc and Swagger UI: not rendered, since there is no chromium'
fi
