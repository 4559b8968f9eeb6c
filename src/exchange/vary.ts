/**
 * Says of an answer what else it depends on, in one field with what it says already (RFC 9110 section 12.5.5).
 *
 * @param headers a flat list, edited in place.
 * @param name of a request field.
 */
export function addVary(headers: string[], name: string): void {
  const wanted = name.toLowerCase();
  let at = -1;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]?.length !== 4 || headers[i]?.toLowerCase() !== 'vary') continue;
    const names = (headers[i + 1] as string).toLowerCase().split(',');
    if (names.some((one) => one.trim() === wanted || one.trim() === '*')) return;
    at = i;
  }
  if (at < 0) headers.push('vary', name);
  else headers[at + 1] = headers[at + 1]?.trim() === '' ? name : `${headers[at + 1]}, ${name}`;
}
