import { describe, expect, it } from '@jest/globals';
import { endText, headText, linesText } from './exposition.ts';

const counter = { name: 'a_total', help: 'Says "a\\b"\nand more.', type: 'counter' };

describe('the head of a family', () => {
  it('names counters in OpenMetrics without what their samples end with', () => {
    expect(headText(counter, 'text')).toBe(
      '# HELP a_total Says "a\\\\b"\\nand more.\n# TYPE a_total counter\n',
    );
    expect(headText(counter, 'openmetrics')).toBe(
      '# HELP a Says \\"a\\\\b\\"\\nand more.\n# TYPE a counter\n',
    );
  });

  it('leaves everything else as it is called', () => {
    const gauge = { name: 'sum_total', help: 'x', type: 'gauge' };
    expect(headText(gauge, 'openmetrics')).toBe('# HELP sum_total x\n# TYPE sum_total gauge\n');
  });
});

describe('lines', () => {
  it('escape values of labels, and nothing else of them', () => {
    const labels = { a: 'x"y\\z\n', b: '{},= ü', c: 1 };
    expect(linesText('m', [{ labels, value: 1.5 }], 'text')).toBe(
      'm{a="x\\"y\\\\z\\n",b="{},= ü",c="1"} 1.5\n',
    );
  });

  it('spell numbers as Prometheus does', () => {
    const values = [Infinity, -Infinity, NaN, 1e21, 0].map((value) => ({ labels: {}, value }));
    expect(linesText('m', values, 'text')).toBe('m +Inf\nm -Inf\nm NaN\nm 1e+21\nm 0\n');
  });

  it('have exemplars in OpenMetrics alone, and none that is too long for it', () => {
    const exemplar = { labelSet: { trace_id: 'ab', span_id: 'cd' }, value: 0.25, timestamp: 1.5 };
    const value = { labels: { le: 1 }, value: 3, metricName: 'm_bucket', exemplar };
    expect(linesText('m', [value], 'text')).toBe('m_bucket{le="1"} 3\n');
    expect(linesText('m', [value], 'openmetrics')).toBe(
      'm_bucket{le="1"} 3 # {trace_id="ab",span_id="cd"} 0.25 1.500\n',
    );
    const long = { ...value, exemplar: { ...exemplar, labelSet: { trace_id: 'a'.repeat(121) } } };
    expect(linesText('m', [long], 'openmetrics')).toBe('m_bucket{le="1"} 3\n');
  });
});

it('ends OpenMetrics, and nothing else', () => {
  expect([endText('text'), endText('openmetrics')]).toEqual(['', '# EOF\n']);
});
