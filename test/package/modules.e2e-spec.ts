import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { makeProject, type Project } from '../support/project.ts';

const YAML = 'version: 1\nmodules: [hello]\n';
const HELLO = `
import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { Public, type GatewayModule } from 'gatehouse';

@Injectable()
class Words {
  hello(): string { return 'hello'; }
}

@Controller('hello')
@Public()
class HelloController {
  // Nest knows what to pass by the type of the parameter.
  constructor(private readonly words: Words) {}

  @Get()
  show(): string { return this.words.hello(); }
}

@Module({ controllers: [HelloController], providers: [Words] })
class HelloModule {}

export const hello: GatewayModule = { name: 'hello', module: HelloModule };
`;
const LIST = `import { hello } from './hello.js';\nexport const modules = [hello];\n`;

let project: Project;

beforeEach(async () => {
  project = await makeProject();
  project.write('package.json', '{ "type": "module" }');
  project.write('gateway.yaml', YAML);
  project.write('src/hello.ts', HELLO);
  project.write('src/modules.ts', LIST);
}, 60_000);
afterEach(() => project.remove());

describe('the modules of a project', () => {
  it('are those of gatehouse.config.ts, for a start and for all that says what a start would do', async () => {
    const config = `import { defineConfig } from 'gatehouse/config';
export default defineConfig({ config: 'gateway.yaml', modules: 'src/modules.ts' }) satisfies object;`;
    project.write('gatehouse.config.ts', config);
    expect(await project.ask('/hello')).toEqual({ status: 200, text: 'hello' });
    expect(project.run('validate').stdout).toContain('gateway.yaml: valid');
    expect(project.run('routes', '--wide').stdout).toContain('HelloController.show');
    expect(project.run('explain', 'GET /hello').stdout).toContain('hello.show');
    expect(project.run('openapi').stdout).toContain('"/hello"');
  }, 60_000);

  it('are those of --modules, over what the project says', () => {
    project.write('gatehouse.config.js', `export default { modules: 'none.js' };`);
    const { stdout, stderr, status } = project.run(
      'validate',
      '--config',
      'gateway.yaml',
      '--modules',
      'src/modules.ts',
    );
    expect([stderr, status]).toEqual(['', 0]);
    expect(stdout).toContain('valid');
  }, 60_000);

  it('are none, unless somebody names them: nothing of the sample is in a package', () => {
    const { status, stderr } = project.run('validate', '--config', 'gateway.yaml');
    expect(status).toBe(1);
    expect(stderr).toContain('there is no module "hello": this gateway offers none');
  });
});

describe('what is wrong with the modules of a project', () => {
  const validate = (file: string): string =>
    project.run('validate', '--config', 'gateway.yaml', '--modules', file).stderr;

  it('is told with the file: one that is not there, and one without a list', () => {
    expect(validate('src/nodules.ts')).toMatch(/--modules {2}there is no file .*nodules\.ts/);
    project.write('src/wrong.js', 'export const modules = [{ name: "x" }];');
    expect(validate('src/wrong.js')).toContain('src/wrong.js  expected `export const modules`');
  });

  it('is told with its stack where the code itself fails', () => {
    project.write('src/broken.ts', `throw new TypeError('no such thing');`);
    expect(validate('src/broken.ts')).toMatch(
      /src\/broken\.ts cannot be loaded: TypeError: no such thing\n\s+at .*broken\.ts:1/,
    );
  });

  it('is another copy of Nest, whose decorators the gateway would not see', () => {
    project.write(
      'other/node_modules/@nestjs/common/package.json',
      '{ "name": "@nestjs/common", "main": "x.js" }',
    );
    project.write('other/modules.js', 'export const modules = [];');
    expect(validate('other/modules.js')).toContain('finds another copy of @nestjs/common');
  });

  it('is a key of gatehouse.config.js that is none, and a second such file', () => {
    project.write('gatehouse.config.js', `export default { module: 'src/modules.ts', config: 7 };`);
    const { stderr } = project.run('validate');
    expect(stderr).toContain('gatehouse.config.js  module  unknown key; did you mean "modules"?');
    expect(stderr).toContain('gatehouse.config.js  config  expected the path of a file');
    project.write('gatehouse.config.ts', `export default {};`);
    expect(project.run('validate').stderr).toContain(
      'there is gatehouse.config.js as well; keep one of them',
    );
  });

  it('is --modules without a value, or where no modules are needed', () => {
    expect(project.run('validate', '--modules')).toMatchObject({
      status: 2,
      stderr: 'gatehouse: --modules: expected a value\n',
    });
    expect(project.run('quota', '--modules', 'x.js')).toMatchObject({
      status: 2,
      stderr: 'gatehouse: --modules: quota needs no modules\n',
    });
  });
});
