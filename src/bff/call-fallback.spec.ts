import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { contextOf, ThingsBed, thingSchema, type Thing } from '../calls/calls.fixture.ts';
import { httpUpstream } from '../calls/http-upstream.ts';
import { Problem } from '../problems/problem.ts';
import { View } from './view.ts';
import { ViewGuards } from './view-guards.ts';
import { Views } from './views.ts';

const getThing = httpUpstream('things').get<{ id: string }, Thing>('things.get', '/things/{id}', {
  decode: thingSchema,
  fallback: () => ({ id: '', name: 'nothing' }),
});
const Shown = View.define('Shown')
  .input<{ id: string }>()
  .required('thing', getThing, ({ input }) => input);
const Strict = View.define('Strict')
  .input<{ id: string }>()
  .required('thing', async ({ input, call }) => {
    const thing = await call(getThing, input);
    if (thing.id === '') throw new Problem('resource-not-found');
    return thing;
  });

describe('a section whose call has a fallback', () => {
  let bed: ThingsBed;
  let views: Views;

  beforeAll(async () => {
    bed = await ThingsBed.start();
    views = new Views(bed.caller, bed.bed.metrics, new ViewGuards());
  });
  beforeEach(() => bed.answerThings());
  afterAll(() => bed.stop());

  it('is not degraded when the upstream answers', async () => {
    const { exchange } = contextOf();
    expect(await views.serve(Shown, { id: '1' }, exchange)).toEqual({
      thing: { id: '1', name: 'thing 1' },
    });
  });

  it('is named as degraded when the fallback of the call stands in', async () => {
    bed.answer(500);
    const { exchange } = contextOf();
    expect(await views.serve(Shown, { id: '1' }, exchange)).toEqual({
      thing: { id: '', name: 'nothing' },
      degraded: [{ section: 'thing', code: 'upstream-rejected', via: 'fallback' }],
    });
  });

  it('still fails when its own source refuses what the call was served with', async () => {
    bed.answer(500);
    const { exchange } = contextOf();
    await expect(views.serve(Strict, { id: '1' }, exchange)).rejects.toMatchObject({
      code: 'resource-not-found',
    });
  });
});
