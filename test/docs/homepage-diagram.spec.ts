import { expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { describeView } from '../../src/bff/describe-view.ts';
import { viewDiagram } from '../../src/bff/view-diagram.ts';
import { allWell, startHomepage } from '../../src/routes/homepage/homepage.fixture.ts';
import { Homepage } from '../../src/routes/homepage/homepage.view.ts';

// What waits for what is seen when it runs.
it('the homepage is drawn in docs/views.md as it runs', async () => {
  await using gateway = await startHomepage();
  await allWell(gateway);
  expect((await gateway.client(gateway.as({ id: '2' })).get('/api/homepage')).status).toBe(200);
  const docs = await readFile(new URL('../../docs/views.md', import.meta.url), 'utf8');
  expect(docs).toContain(
    `<!-- homepage: begin -->\n\n\`\`\`mermaid\n${viewDiagram(describeView(Homepage))}\`\`\`\n\n<!-- homepage: end -->`,
  );
});
