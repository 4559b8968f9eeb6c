import { describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import ts from 'typescript';

const ROOT = process.cwd();

/** What a team writes, and what it may not. */
const TEAM = `
import { createGateway, Problem, Public, RateLimit, View, type GatewayModule } from 'gatehouse';
import { Cost, ViewResolver } from 'gatehouse/graphql';
import { defineConfig, type GatewayConfigInput } from 'gatehouse/config';
import { startTestGateway } from 'gatehouse/testing';

export const config = defineConfig({ config: 'gateway.yaml', modules: ['src/modules.ts'] });
export const file: GatewayConfigInput = { version: 1, routes: [{ id: 'a', match: { path: '/a' } }] };
export class Empty {}
export const module: GatewayModule = { name: 'empty', module: Empty, upstreams: { users: 'http' } };
export const started = startTestGateway({ config: 'version: 1', modules: [module] });
export const gateway = createGateway({ config: 'gateway.yaml', modules: [module] });
export const decorated = [Public(), RateLimit({ rate: 1, per: '1m' })];
export const fields = [Cost({ weight: 2 }), ViewResolver];
export const refusal = new Problem('route-not-found');
export const view = View.define('Empty');
// @ts-expect-error a key that is none
defineConfig({ modul: 'src/modules.ts' });
// @ts-expect-error a protocol that is none
export const wrong: GatewayModule = { name: 'wrong', module: Empty, upstreams: { users: 'soap' } };
// @ts-expect-error a limit without its period
RateLimit({ rate: 'often' });
`;

describe('the package', () => {
  it('has types that a team compiles with, and that refuse what is wrong', () => {
    const file = join(ROOT, 'test/package/team.ts');
    const paths = {
      gatehouse: ['./src/index.ts'],
      'gatehouse/graphql': ['./src/graphql.ts'],
      'gatehouse/config': ['./src/gatehouse-config.ts'],
      'gatehouse/testing': ['./src/testing/index.ts'],
    };
    const { options } = ts.parseJsonConfigFileContent(
      { extends: './tsconfig.json', compilerOptions: { noEmit: true, paths }, files: [] },
      ts.sys,
      ROOT,
    );
    const host = ts.createCompilerHost(options);
    const source = ts.createSourceFile(file, TEAM, ts.ScriptTarget.ES2024, true);
    const { getSourceFile, fileExists } = host;
    host.getSourceFile = (name, ...rest) =>
      name === file ? source : getSourceFile.call(host, name, ...rest);
    host.fileExists = (name) => name === file || fileExists.call(host, name);
    const program = ts.createProgram([file, join(ROOT, 'src/proxy/json-source.d.ts')], options, host);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))).toEqual([]);
  }, 60_000);
});
