// Validates a definition of Step Functions given as JSON on standard input with the linter of AWS's own editor plugin.
// Argument: the folder of amazon-states-language-service. Prints the diagnostics as JSON; exits 0 whatever they are.
const { getLanguageService, TextDocument, ASL_SCHEMA } = require(process.argv[2]);

async function main() {
  const text = require("node:fs").readFileSync(0, "utf8");
  const document = TextDocument.create("foo://bar/definition.asl", "asl", 1, text);
  const service = getLanguageService({});
  const parsed = service.parseJSONDocument(document);
  const found = await service.doValidation(document, parsed, {}, ASL_SCHEMA);
  console.log(JSON.stringify(found.map(({ message, range }) => ({ message, line: range.start.line + 1 }))));
}

main();
