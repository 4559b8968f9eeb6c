import { describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { z } from 'zod';
import { exposedViews } from '../../src/bff/exposed/exposed-views.ts';
import { View } from '../../src/bff/view.ts';
import { CallsModule } from '../../src/calls/calls.module.ts';
import { httpUpstream } from '../../src/calls/http-upstream.ts';
import { told } from '../support/faults-at-once.ts';

const item = z.object({ id: z.string() }).meta({ id: 'StockItem' });
const getStock = httpUpstream('stock').get('stock.list', '/stock', { decode: z.array(item) });
const getMore = httpUpstream('stock').get('stock.more', '/more', { decode: z.array(item) });

const StockPage = View.define('StockPage')
  .input<Record<never, never>>()
  .required('items', getStock, () => ({}))
  .required('more', getMore, () => ({}))
  .expose({
    rest: '/stock-page',
    graphql: 'stockPage',
    input: () => ({}),
    policies: { authentication: 'public' },
    sections: { items: z.array(item), more: z.array(item) },
  });

@Module({ imports: [CallsModule, exposedViews(StockPage)] })
class StockModule {}

describe('an exposed view whose upstream is not there', () => {
  it('is told once for each call, with class and member', async () => {
    const lines = await told(
      'version: 1\nmodules: [stock]\nupstreams: {}\ngraphql: { policies: { authentication: public } }\n',
      [{ name: 'stock', module: StockModule, graphql: true }],
    );
    const by = 'StockPageController.show: the call';
    expect(lines).toEqual([
      expect.stringContaining(`${by} stock.list needs the upstream "stock", which is not configured`),
      expect.stringContaining(`${by} stock.more needs the upstream "stock", which is not configured`),
    ]);
  });
});
