import { describe, expect, it } from '@jest/globals';
import { getUser } from '../routes/services/users.calls.ts';
import { describeView } from './describe-view.ts';
import { viewDiagram } from './view-diagram.ts';
import { View } from './view.ts';

const Inner = View.define('Inner')
  .input<string>()
  .required('user', getUser, ({ input }) => ({ id: input }));
const Outer = View.define('Outer')
  .input<string>()
  .section('inner', Inner, ({ input }) => input, { budget: '1s' })
  .list('friends', getUser, async ({ get }) => [{ id: (await get('inner')).user.id }])
  .section('now', () => 'now', { fallback: () => 'then' });

describe('a view as data', () => {
  it('says what each section is, and what it may cost', () => {
    const { name, sections } = describeView(Outer);
    expect(name).toBe('Outer');
    expect(sections).toMatchObject([
      { name: 'inner', kind: 'view', budgetMs: 1000, required: false, view: { name: 'Inner' } },
      {
        name: 'friends',
        kind: 'call',
        many: true,
        calls: [{ upstream: 'users', operation: 'GET /users/{id}' }],
      },
      { name: 'now', kind: 'function', fallback: true, budgetMs: undefined, calls: [] },
    ]);
    expect(sections[0]?.view?.sections).toMatchObject([
      { name: 'user', required: true, calls: [{ protocol: 'http' }] },
    ]);
  });

  it('knows the dependencies of the runs so far', () => {
    expect(describeView(Outer).sections[1]?.dependsOn).toEqual([]);
    Outer.dependencies.note(1, 0);
    Outer.dependencies.note(1, 0);
    expect(describeView(Outer).sections[1]?.dependsOn).toEqual(['inner']);
  });

  it('knows the calls that functions have made so far', () => {
    const view = View.define('Open')
      .input<string>()
      .section('some', () => 1);
    view.dependencies.noteCall(0, getUser);
    view.dependencies.noteCall(0, getUser);
    expect(describeView(view).sections[0]?.calls).toMatchObject([{ name: 'users.get' }]);
  });

  it('is drawn with its calls, its inner views and what waits for what', () => {
    Outer.dependencies.note(1, 0);
    expect(viewDiagram(describeView(Outer))).toBe(`flowchart LR
  Outer(["Outer"])
  Outer --> Outer_inner["inner<br/>Inner, 1000 ms"]:::nullable
  Outer_inner --> Outer_inner_user["user"]:::required
  Outer_inner_user --> call_users_get[["users: GET /users/{id}"]]
  Outer --> Outer_friends["friends<br/>per element"]:::nullable
  Outer_inner -. waits .-> Outer_friends
  Outer_friends --> call_users_get[["users: GET /users/{id}"]]
  Outer --> Outer_now["now<br/>composed, fallback"]
  classDef required stroke-width:3px
  classDef nullable stroke-dasharray:4 4
`);
  });
});
