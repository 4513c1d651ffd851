// Which property names of the sources are our own, and may be shortened in the built file. Read off the types: what a type
// declares and nobody outside of the built file can see. It is careful: whatever it can't tell stays as it is.
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL(".", import.meta.url));

/** What pages import, and the modules whose types are spoken, stored or told to other tabs: such a type belongs into one of them. */
const SHOWN = ["index.ts", "react.ts", "signals.ts", "inspector.ts", "core/words.ts", "link/news.ts", "link/wire.ts"];

export function ownNames() {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram(fileNames, options);
  const checker = program.getTypeChecker();
  const isTool = ({ fileName }) => fileName.startsWith(`${root}src/inspector`);
  const files = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(`${root}src/`));
  const sources = files.filter((file) => !isTool(file));
  const declared = new Set();
  const kept = new Set();

  const isMember = (node) =>
    ts.isPropertySignature(node) || ts.isMethodSignature(node) || ts.isPropertyDeclaration(node) || ts.isAccessor(node) || ts.isMethodDeclaration(node);
  const isOurs = (node) => sources.includes(node.getSourceFile());

  // What the world sees: the members of these types, and of all types they mention.
  const seen = new Set();
  const show = (symbol) => {
    const real = symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    if (!real || seen.has(real)) return;
    seen.add(real);
    for (const declaration of real.declarations ?? []) if (isOurs(declaration)) mention(declaration);
  };
  const mention = (node) => {
    if (ts.isBlock(node) || (ts.isClassElement(node) && node.name && ts.isPrivateIdentifier(node.name))) return;
    if (isMember(node) && ts.isIdentifier(node.name)) kept.add(node.name.text);
    if (ts.isIdentifier(node)) show(checker.getSymbolAtLocation(node));
    ts.forEachChild(node, mention);
  };
  for (const name of SHOWN) {
    const file = program.getSourceFile(`${root}src/${name}`);
    if (file) checker.getExportsOfModule(checker.getSymbolAtLocation(file)).forEach(show);
  }

  // What the platform defines, and what has no type that would say whose it is.
  const look = (symbol, name) => {
    const all = symbol?.declarations ?? [];
    if (!all.length || !all.every(isOurs)) kept.add(name);
  };
  const visit = (node) => {
    if (isMember(node) && ts.isIdentifier(node.name) && !ts.isObjectLiteralExpression(node.parent)) declared.add(node.name.text);
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.name)) {
      look(checker.getSymbolAtLocation(node.name), node.name.text);
    }
    if (node.parent && ts.isObjectLiteralExpression(node.parent) && node.name && ts.isIdentifier(node.name)) {
      const type = checker.getContextualType(node.parent);
      const name = node.name.text;
      look(type && checker.getPropertyOfType(checker.getNonNullableType(type), name), name);
    }
    if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent)) {
      const name = (node.propertyName ?? node.name).text;
      look(checker.getPropertyOfType(checker.getTypeAtLocation(node.parent), name), name);
    }
    ts.forEachChild(node, visit);
  };
  sources.forEach(visit);

  // The inspector is another file, whose names nobody shortens: what it reads of a client must be there by its name.
  const meet = (symbol, name) => {
    if (symbol?.declarations?.some(isOurs)) kept.add(name);
  };
  const read = (node) => {
    if (ts.isPropertyAccessExpression(node)) meet(checker.getSymbolAtLocation(node.name), node.name.text);
    if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent)) {
      const name = (node.propertyName ?? node.name).text;
      meet(checker.getPropertyOfType(checker.getTypeAtLocation(node.parent), name), name);
    }
    ts.forEachChild(node, read);
  };
  files.filter(isTool).forEach(read);
  return [...declared].filter((name) => !kept.has(name)).sort();
}
