import type { MarkdownRenderer } from 'vitepress';

/**
 * Pages are Markdown as code hosts read it, not components of Vue: braces and tags are text, and so is a line that begins with one
 * within a span of code.
 */
export function literalText(md: MarkdownRenderer): void {
  md.block.ruler.disable('html_block');
  for (const kind of ['text', 'code_inline'] as const) {
    const render = md.renderer.rules[kind];
    if (render === undefined) throw new Error(`nothing renders ${kind}`);
    md.renderer.rules[kind] = (...given) => render(...given).replaceAll('{{', '&#123;&#123;');
  }
  // Signs of permalinks come this way too, as entities.
  md.renderer.rules.html_inline = (tokens, index) => {
    const { content = '' } = tokens[index] ?? {};
    if (content.startsWith('<!--')) return '';
    return content.startsWith('<') ? md.utils.escapeHtml(content) : content;
  };
}
