import { hrefTo } from '../app/address.ts';

/** The page of what a box stands for. */
export function pageOf(id: string): { readonly name: string; readonly href: string } | undefined {
  const [sort, name = ''] = [id.slice(0, 1), id.slice(2)];
  if (sort === 'u') return { name, href: hrefTo(['upstreams', name]) };
  if (sort === 'g') return { name, href: hrefTo(['routes'], { q: name }) };
  if (sort === 'r' && !name.startsWith('…')) return { name, href: hrefTo(['routes', name]) };
  if (sort !== 't') return undefined;
  const [upstream = '', ...target] = name.split('/');
  return { name: target.join('/'), href: hrefTo(['upstreams', upstream], { target: target.join('/') }) };
}
