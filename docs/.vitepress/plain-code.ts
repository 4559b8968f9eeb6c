const SIGNS: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '{': '&#123;' };

/** A block of code without colors: what tells them apart takes as long as all else of a page. */
export function plainCode(code: string): string {
  return `<pre v-pre><code>${code.replace(/[&<>{]/g, (sign) => SIGNS[sign] ?? sign)}</code></pre>`;
}
