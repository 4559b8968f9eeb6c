import { View } from 'gatehouse';
import { getItems, getOwner } from './__name__.calls.ts';

/** Composed of two calls that run at once: the owner has to be there, the items have a fallback. */
export const __Name__ = View.define('__Name__')
  .input<{ id: string }>()
  .required('owner', getOwner, ({ input }) => ({ id: input.id }), { budget: '1s' })
  .section('items', getItems, ({ input }) => ({ id: input.id }), {
    budget: '500ms',
    fallback: () => ({ items: [] }),
  });
