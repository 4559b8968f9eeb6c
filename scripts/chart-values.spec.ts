import { expect, it } from '@jest/globals';
import { valuesOf, withValues } from './chart-values.ts';

const VALUES = `# About all of it.

# -- A name.
name: ''

image:
  # -- Where it is.
  repository: gatehouse
  # An aside.
  # -- Which | one.
  tag: null
# -- A whole.
whole:
  inner: { a: 1 }
list:
  # -- Of ports.
  ports: [80]
`;

it('values are explained by the comment before them, or looked into', () => {
  expect(valuesOf(VALUES)).toEqual([
    { key: 'name', usual: '', means: 'A name.' },
    { key: 'image.repository', usual: 'gatehouse', means: 'Where it is.' },
    { key: 'image.tag', usual: null, means: 'Which | one.' },
    { key: 'whole', usual: { inner: { a: 1 } }, means: 'A whole.' },
    { key: 'list.ports', usual: [80], means: 'Of ports.' },
  ]);
});

it('one that nobody explains is named', () => {
  expect(() => valuesOf('image:\n  tag: a\n')).toThrow(
    'values: image.tag has no comment that begins with --',
  );
});

it('a page has the table between its marks, whatever was there', () => {
  const page = '# A\n\n<!-- values -->\nold\n<!-- /values -->\n\nend\n';
  const made = withValues(page, '# -- A | b.\na: [1]\n');
  expect(made).toBe(
    '# A\n\n<!-- values -->\n\n| Value | Default | Means |\n| --- | --- | --- |\n| `a` | `[1]` | A \\| b. |\n\n<!-- /values -->\n\nend\n',
  );
  expect(withValues(made, '# -- A | b.\na: [1]\n')).toBe(made);
  expect(() => withValues('# A', '')).toThrow('the page lacks <!-- values --> and <!-- /values -->');
});
