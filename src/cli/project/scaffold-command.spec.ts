import { describe, expect, it } from '@jest/globals';
import { generateCommand, initCommand } from './scaffold-command.ts';

describe('initCommand', () => {
  it('reads a directory, a name and how the package is depended on', () => {
    const read = initCommand(['gate', '--name', 'my-gate', '--package', 'file:../g.tgz']);
    expect(read).toEqual({ name: 'init', directory: 'gate', project: 'my-gate', package: 'file:../g.tgz' });
    expect(initCommand(['--help'])).toBeUndefined();
  });

  it.each([[[]], [['a', 'b']]])('refuses %j: it takes one directory', (args) => {
    expect(() => initCommand(args)).toThrow('init: expected one directory');
  });
});

describe('generateCommand', () => {
  it('reads what to write, its name, and where to', () => {
    expect(generateCommand(['view', 'account'])).toEqual({
      name: 'generate',
      part: 'view',
      as: 'account',
      directory: 'src',
    });
    expect(generateCommand(['module', 'a', '--dir', 'lib'])).toMatchObject({ directory: 'lib' });
    expect(generateCommand(['-h'])).toBeUndefined();
  });

  it.each([
    [['modul', 'a'], 'expected one of module, view, policy, and a name; did you mean "module"?'],
    [[], 'expected one of module, view, policy, and a name'],
    [['policy'], 'generate policy: expected one name'],
    [['policy', 'a', 'b'], 'generate policy: expected one name'],
    [['policy', 'a', '--dri', 'x'], 'did you mean --dir?'],
  ])('refuses %j', (args, message) => {
    expect(() => generateCommand(args)).toThrow(message);
  });
});
