// Prints what axe finds wrong with each of the HTML pages that are a JSON array on standard input, as
// JSON: [[[rule, element], …], …]. One process for them all: to start it costs more than a page.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { JSDOM, VirtualConsole } from "jsdom";

const axe = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

async function wrong(html) {
  // jsdom draws nothing: what axe asks of a canvas is told to nobody.
  const page = new JSDOM(html, {
    runScripts: "outside-only",
    pretendToBeVisual: true,
    virtualConsole: new VirtualConsole(),
  });
  page.window.eval(axe);
  const { passes, violations } = await page.window.axe.run(page.window.document);
  if (passes.length < 20) throw new Error(`axe looked at ${passes.length} rules only`);
  page.window.close();
  return violations.flatMap((each) => each.nodes.map((node) => [each.id, node.html]));
}

const found = [];
for (const html of JSON.parse(readFileSync(0, "utf8"))) found.push(await wrong(html));
console.log(JSON.stringify(found));
