import { expect, it } from '@jest/globals';
import { metricsFormat } from './metrics-format.ts';

it.each([
  [undefined, 'text'],
  ['', 'text'],
  ['*/*', 'text'],
  ['text/html,application/xhtml+xml;q=0.9,*/*;q=0.8', 'text'],
  ['text/plain', 'text'],
  ['application/openmetrics-text', 'openmetrics'],
  ['application/openmetrics-text; version=1.0.0; charset=utf-8', 'openmetrics'],
  // As Prometheus 2.42 and 3 ask.
  [
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    'openmetrics',
  ],
  [
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;q=0.3,*/*;q=0.2',
    'openmetrics',
  ],
  ['APPLICATION/OpenMetrics-Text ; Q=0.5 , */*;q=0.1', 'openmetrics'],
  ['application/openmetrics-text;q=0.5,text/plain;q=0.5', 'openmetrics'],
  ['application/openmetrics-text;q=0.4,text/plain;q=0.5', 'text'],
  ['application/openmetrics-text;q=0.4,text/*;q=0.5', 'text'],
  ['application/openmetrics-text;q=0.4,text/*;q=0.5,text/plain;q=0.1', 'openmetrics'],
  ['application/openmetrics-text;q=0', 'text'],
  ['application/openmetrics-text;q=nonsense', 'text'],
  ['application/openmetrics-text;q=1.5', 'text'],
  ['application/openmetrics-text;version=9.0.0,text/plain;q=0.1', 'text'],
  ['application/openmetrics-text;version="1.0.0"', 'openmetrics'],
] as const)('reads Accept: %s as %s', (accept, format) => {
  expect(metricsFormat(accept)).toBe(format);
});
