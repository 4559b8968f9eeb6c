import type { SectionDescription, ViewDescription } from './describe-view.ts';

/**
 * Draws a view as a Mermaid flowchart: its sections, what each of them calls, and which waits for which. A thick
 * border is a section that has to be there, a dashed one a section that may be `null`.
 */
export function viewDiagram(view: ViewDescription): string {
  const lines = ['flowchart LR', `  ${idOf(view.name)}(["${view.name}"])`];
  draw(view, idOf(view.name), lines);
  lines.push('  classDef required stroke-width:3px', '  classDef nullable stroke-dasharray:4 4');
  return `${lines.join('\n')}\n`;
}

function draw({ sections }: ViewDescription, root: string, lines: string[]): void {
  for (const section of sections) {
    const id = `${root}_${section.name}`;
    lines.push(`  ${root} --> ${id}["${labelOf(section)}"]${styleOf(section)}`);
    for (const name of section.dependsOn) lines.push(`  ${root}_${name} -. waits .-> ${id}`);
    for (const { name, upstream, operation } of section.calls) {
      lines.push(`  ${id} --> ${idOf(`call_${name}`)}[["${upstream}: ${operation}"]]`);
    }
    const { view } = section;
    if (view !== undefined) draw(view, id, lines);
  }
}

function labelOf({ name, kind, many, budgetMs, fallback, view }: SectionDescription): string {
  const notes = [
    kind === 'function' ? 'composed' : undefined,
    view?.name,
    many ? 'per element' : undefined,
    budgetMs === undefined ? undefined : `${budgetMs} ms`,
    fallback ? 'fallback' : undefined,
  ].filter((note) => note !== undefined);
  return notes.length === 0 ? name : `${name}<br/>${notes.join(', ')}`;
}

function styleOf({ required, fallback }: SectionDescription): string {
  if (required) return ':::required';
  return fallback ? '' : ':::nullable';
}

function idOf(text: string): string {
  return text.replace(/\W/g, '_');
}
