// Renders the contract in Redoc and in Swagger UI with a real browser, and checks that each page
// shows every operation with an example and reports nothing in the console. It leaves a picture of
// each page. Arguments: the browser, the document.
import fs from 'node:fs';
import http from 'node:http';
import { chromium } from 'playwright-core';

const [browserPath, documentPath] = process.argv.slice(2);
const text = fs.readFileSync(documentPath, 'utf8');
const ids = [...text.matchAll(/^      operationId: (.*)$/gm)].map((match) => match[1]);
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];

const page = (head, script) =>
  `<!doctype html><meta charset="utf-8">${head}<div id="page"></div><script>${script}</script>`;
const files = {
  '/openapi.yaml': [text, 'application/yaml'],
  '/redoc': [page('<script src="/redoc.js"></script>',
    `Redoc.init('/openapi.yaml', {}, document.getElementById('page'))`), 'text/html'],
  '/redoc.js': [fs.readFileSync('node_modules/redoc/bundles/redoc.standalone.js'),
    'text/javascript'],
  '/swagger': [page('<link rel="stylesheet" href="/swagger.css"><script src="/swagger.js"></script>',
    `SwaggerUIBundle({url: '/openapi.yaml', dom_id: '#page', deepLinking: true})`), 'text/html'],
  '/swagger.js': [fs.readFileSync('node_modules/swagger-ui-dist/swagger-ui-bundle.js'),
    'text/javascript'],
  '/swagger.css': [fs.readFileSync('node_modules/swagger-ui-dist/swagger-ui.css'), 'text/css'],
};
const server = http.createServer((request, response) => {
  const [body, type] = files[request.url] ?? ['', 'text/plain'];
  response.writeHead(200, { 'Content-Type': type }).end(body);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${server.address().port}`;

const faults = [];

/* Opens a page that can reach only this server, and keeps what it reports. */
async function open(browser, path) {
  const opened = await browser.newPage({ viewport: { width: 1500, height: 1100 } });
  await opened.route((url) => url.origin !== origin, (route) => route.fulfill({ body: '' }));
  opened.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(`${path}: ${message.text()}`);
  });
  opened.on('pageerror', (error) => faults.push(`${path}: ${error.message}`));
  await opened.goto(origin + path);
  return opened;
}

async function picture(opened, element, path) {
  await element.evaluate((shown) => shown.scrollIntoView());
  await opened.screenshot({ path });
}

async function checkRedoc(browser) {
  const redoc = await open(browser, '/redoc');
  await redoc.waitForSelector(`[id="operation/${ids.at(-1)}"]`);
  for (const id of ids) {
    const operation = redoc.locator(`[id="operation/${id}"]`);
    if (await operation.count() !== 1) faults.push(`/redoc: ${id} is not there`);
    else if (!/Response samples/.test(await operation.innerText()))
      faults.push(`/redoc: ${id} has no example`);
  }
  await picture(redoc, redoc.locator('[id="operation/train"]'), 'redoc.png');
}

async function checkSwagger(browser) {
  const swagger = await open(browser, '/swagger');
  await swagger.waitForSelector('.opblock');
  for (const id of ids) {
    const operation = swagger.locator(`[id$="-${id}"].opblock`);
    if (await operation.count() !== 1) {
      faults.push(`/swagger: ${id} is not there`);
      continue;
    }
    await operation.locator('.opblock-summary-control').click();
    await operation.locator('.responses-table').waitFor();
    if (await operation.locator('.responses-table .highlight-code').count() === 0)
      faults.push(`/swagger: ${id} has no example`);
    if (id === 'train') await picture(swagger, operation, 'swagger.png');
    await operation.locator('.opblock-summary-control').click();
  }
}

const browser = await chromium.launch({ executablePath: browserPath, args: flags });
await checkRedoc(browser);
await checkSwagger(browser);
await browser.close();
server.close();
for (const fault of faults) console.log(fault);
console.log(`Redoc and Swagger UI: ${ids.length} operations, ${faults.length} faults`);
process.exitCode = faults.length > 0 ? 1 : 0;
