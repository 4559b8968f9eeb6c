import { staticAnswer, type StaticAnswer } from '../exchange/static-answer.ts';
import { readAsset } from './asset-file.ts';

const SCRIPT = 'text/javascript; charset=utf-8';

const FILES: Readonly<Record<string, string>> = {
  'access.js': SCRIPT,
  'docs.css': 'text/css; charset=utf-8',
  'docs.js': SCRIPT,
  'dom.js': SCRIPT,
  'example.js': SCRIPT,
  'operation.js': SCRIPT,
  'request.js': SCRIPT,
  'schema.js': SCRIPT,
  'try.js': SCRIPT,
};

/** The page that shows `/openapi.json`; it loads nothing from elsewhere. */
export const docsPage = staticAnswer('text/html; charset=utf-8', readAsset('page/docs.html'));

/** What the page loads, by file name. */
export const docsFiles: ReadonlyMap<string, StaticAnswer> = new Map(
  Object.entries(FILES).map(([file, contentType]) => [
    file,
    staticAnswer(contentType, readAsset(`page/${file}`)),
  ]),
);
