import { existsSync, readFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError, type ConfigFault } from '../../config/config-fault.ts';
import { shownPath } from './shown-path.ts';

type TypeScript = typeof import('typescript');
type Diagnostic = import('typescript').Diagnostic;

let isRegistered = false;

/**
 * Has Node load `.ts` with decorators and the types of their parameters, which it cannot strip: the `typescript` of the
 * project compiles each file by itself, without checking types. What lies below `node_modules` stays as it is. An import of `./x.js`
 * finds `./x.ts` where there is only that.
 */
export function registerTypeScript(): void {
  if (isRegistered) return;
  isRegistered = true;
  process.setSourceMapsEnabled(true);
  registerHooks({
    resolve(specifier, context, next) {
      try {
        return next(specifier, context);
      } catch (error) {
        const source = sourceFor(specifier, context.parentURL);
        if (source === undefined) throw error;
        return next(source, context);
      }
    },
    load(url, context, next) {
      if (!isSource(url)) return next(url, context);
      return { format: 'module', shortCircuit: true, source: compile(fileURLToPath(url)) };
    },
  });
}

function isSource(url: string): boolean {
  return url.startsWith('file:') && /\.m?ts$/.test(url) && !url.includes('/node_modules/');
}

// Compilers want imports to be called as what they become.
function sourceFor(specifier: string, parent: string | undefined): string | undefined {
  if (parent === undefined || !/^\.{1,2}\/.*\.m?js$/.test(specifier)) return undefined;
  const source = new URL(specifier.replace(/js$/, 'ts'), parent);
  return isSource(source.href) && existsSync(source) ? source.href : undefined;
}

function compile(file: string): string {
  const typescript = compilerFor(file);
  const { ModuleKind, ScriptTarget } = typescript;
  const { outputText, diagnostics = [] } = typescript.transpileModule(readFileSync(file, 'utf8'), {
    fileName: file,
    reportDiagnostics: true,
    compilerOptions: {
      module: ModuleKind.ESNext,
      target: ScriptTarget.ES2024,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      isolatedModules: true,
      inlineSourceMap: true,
      inlineSources: true,
    },
  });
  // What cannot be parsed is compiled all the same, into something else.
  if (diagnostics.length > 0) throw new ConfigError(diagnostics.map((one) => faultOf(one, file, typescript)));
  return outputText;
}

function faultOf(
  { messageText, file, start = 0 }: Diagnostic,
  path: string,
  { flattenDiagnosticMessageText }: TypeScript,
): ConfigFault {
  const { line, character } = file?.getLineAndCharacterOfPosition(start) ?? { line: 0, character: 0 };
  const message = flattenDiagnosticMessageText(messageText, ' ');
  return { file: shownPath(path), line: line + 1, column: character + 1, key: '', message };
}

/** Loads the compiler of the project in the working directory, so that the first file does not wait for it. @throws {Error} where there is none. */
export function loadCompiler(): void {
  compilerFor(join(process.cwd(), 'modules.ts'));
}

function compilerFor(file: string): TypeScript {
  try {
    const typescript = createRequire(file)('typescript') as Partial<TypeScript>;
    if (typescript.transpileModule === undefined) throw new Error('it has no `transpileModule`');
    return typescript as TypeScript;
  } catch (error) {
    const message = `${file} needs the package typescript to be loaded; install it (npm install --save-dev typescript@6), or name the compiled .js with --modules`;
    throw new Error(message, { cause: error });
  }
}
