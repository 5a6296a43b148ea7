// Prints what axe finds wrong with the HTML on standard input, as JSON: [[rule, element], …].
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { JSDOM, VirtualConsole } from "jsdom";

const axe = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");
// jsdom draws nothing: what axe asks of a canvas is told to nobody.
const page = new JSDOM(readFileSync(0, "utf8"), {
  runScripts: "outside-only",
  pretendToBeVisual: true,
  virtualConsole: new VirtualConsole(),
});
page.window.eval(axe);
const { passes, violations } = await page.window.axe.run(page.window.document);
if (passes.length < 20) throw new Error(`axe looked at ${passes.length} rules only`);
const found = violations.flatMap((each) => each.nodes.map((node) => [each.id, node.html]));
console.log(JSON.stringify(found));
