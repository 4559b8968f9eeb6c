import { httpUpstream } from 'gatehouse';
import { z } from 'zod';

/** `upstreams.__upstream__` of the configuration. */
const upstream = httpUpstream('__upstream__');

const owner = z.object({ id: z.string(), name: z.string() });
const items = z.object({ items: z.array(z.object({ id: z.string() })) });

export const getOwner = upstream.get<{ id: string }, z.output<typeof owner>>(
  '__name__.owner',
  '/owners/{id}',
  { decode: owner },
);
export const getItems = upstream.get<{ id: string }, z.output<typeof items>>(
  '__name__.items',
  '/owners/{id}/items',
  { decode: items },
);
