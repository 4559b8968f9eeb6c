import { httpUpstream } from 'gatehouse';
import { z } from 'zod';

/** `upstreams.__upstream__` of the configuration. */
const upstream = httpUpstream('__upstream__');

const schema = z.object({ id: z.string(), name: z.string() });

export type __Name__ = z.output<typeof schema>;

/** Asks for one by its id; an answer of another shape is a fault of the upstream. */
export const get__Name__ = upstream.get<{ id: string }, __Name__>('__name__.get', '/__name__/{id}', {
  decode: schema,
});
