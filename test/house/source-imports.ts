import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import ts from 'typescript';

/** An import as it is written; paths are relative to `src` and use slashes. */
export interface SourceImport {
  readonly from: string;
  readonly line: number;
  /** A file of ours (`routing/route.ts`, `../test/support/x.ts`), or the specifier of a package. */
  readonly to: string;
  readonly ours: boolean;
  /** Whether it leaves nothing in the built code. */
  readonly typeOnly: boolean;
}

/** Whether a file is there for tests only. */
export function isForTests(file: string): boolean {
  return /\.(spec|fixture)\.tsx?$/.test(file);
}

/** All imports of the files below a folder that are built: neither specs nor their fixtures. */
export function readSourceImports(root: string): SourceImport[] {
  return filesBelow(root)
    .filter((file) => !isForTests(file))
    .flatMap((file) => importsOf(file, readFileSync(join(root, file), 'utf8')));
}

/** The imports, re-exports and `import()` of one file, in types too. */
export function importsOf(file: string, text: string): SourceImport[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: SourceImport[] = [];
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node);
    if (specifier !== undefined) {
      const ours = specifier.startsWith('.');
      const to = ours ? posix.join(dirname(file), specifier) : specifier;
      const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
      found.push({ from: file, line, to, ours, typeOnly: isTypeOnly(node) });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return textOf(node.moduleSpecifier);
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return textOf(node.argument.literal);
  const isDynamic = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  return isDynamic ? textOf(node.arguments[0]) : undefined;
}

function textOf(node: ts.Node | undefined): string | undefined {
  return node && ts.isStringLiteralLike(node) ? node.text : undefined;
}

function isTypeOnly(node: ts.Node): boolean {
  if (ts.isImportTypeNode(node)) return true;
  if (ts.isExportDeclaration(node)) return node.isTypeOnly || hasTypesOnly(node.exportClause);
  if (!ts.isImportDeclaration(node) || node.importClause === undefined) return false;
  const { phaseModifier, name, namedBindings } = node.importClause;
  if (phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  return name === undefined && hasTypesOnly(namedBindings);
}

/** `{ type A, type B }`. `{}` runs the module, and so is a value. */
function hasTypesOnly(clause: ts.NamedImportBindings | ts.NamedExportBindings | undefined): boolean {
  if (clause === undefined || !(ts.isNamedImports(clause) || ts.isNamedExports(clause))) return false;
  return clause.elements.length > 0 && clause.elements.every(({ isTypeOnly: type }) => type);
}

function filesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .toSorted();
}
