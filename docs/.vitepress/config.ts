import { defineConfig } from 'vitepress';
import { anchorOf } from './anchors.ts';
import { literalText } from './literal-text.ts';
import { plainCode } from './plain-code.ts';
import { linkTo } from './links.ts';
import { PAGES } from './pages.ts';
import { SIDEBAR } from './sidebar.ts';

/** Address of the repository's files at a code host, such as `https://example.com/gatehouse/blob/main`. */
const sources = process.env['DOCS_SOURCES']?.replace(/\/$/, '');

/**
 * Whether the site is only to be built, and not to be read: what has no say in whether it can be built is left out, which is colors,
 * minifying, and code that pages run in a browser. Links, pages and the index of the search are made as ever.
 */
const isCheck = process.env['DOCS_CHECK'] !== undefined;

/**
 * The site is the repository's pages as they are: their addresses are their paths, so `srcDir` is the root. Nothing is loaded from
 * elsewhere: fonts are those of the system, the search runs in the page.
 */
export default defineConfig({
  title: 'Gatehouse',
  description: 'An API gateway and backend-for-frontend that teams extend with NestJS modules.',
  lang: 'en',
  base: process.env['DOCS_BASE'] ?? '/',
  srcDir: '..',
  ...(isCheck && { mpa: true }),
  outDir: isCheck ? '.vitepress/cache/checked' : '.vitepress/dist',
  cacheDir: '.vitepress/cache',
  // Negations let in what is a page; everything else of the repository stays out.
  srcExclude: ['{test,examples,templates,deploy,config,scripts}/**', 'src/*/**', '.*/**'],
  rewrites: Object.fromEntries(
    PAGES.filter((page) => /(^|\/)README\.md$/.test(page)).map((page) => [
      page,
      page.replace(/README\.md$/, 'index.md'),
    ]),
  ),
  // What pages tell readers to open on their own machine is no link of the site.
  ignoreDeadLinks: 'localhostLinks',
  markdown: {
    anchor: { slugify: anchorOf },
    config: (md) => md.use(linkTo(sources)).use(literalText),
    languageAlias: { cel: 'js' },
    ...(isCheck && { highlight: plainCode }),
  },
  vite: {
    plugins: [
      {
        // Pages lie outside of the folder that has the packages; what renders them is within it, and finds Vue.
        name: 'vue-of-the-site',
        enforce: 'pre',
        resolveId: (id, _importer, { ssr }) =>
          ssr === true && /^vue(\/|$)/.test(id) ? { id, external: true } : undefined,
      },
    ],
    // The index of the search is one chunk, which only the search loads.
    build: {
      chunkSizeWarningLimit: 4096,
      ...(isCheck && { minify: false, cssMinify: false, reportCompressedSize: false }),
    },
  },
  themeConfig: {
    // It is on every page, and has a spec of its own.
    sidebar: isCheck ? [] : SIDEBAR.map((group) => ({ ...group, items: [...group.items] })),
    nav: [
      { text: 'Tour', link: '/docs/tour' },
      { text: 'Configuration', link: '/docs/configuration' },
      { text: 'Policies', link: '/docs/policies/' },
      { text: 'Errors', link: '/docs/errors' },
      { text: 'Changes', link: '/CHANGELOG' },
    ],
    outline: { level: [2, 3] },
    search: { provider: 'local' },
  },
});
