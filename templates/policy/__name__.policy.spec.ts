import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Controller, Get, Module } from '@nestjs/common';
import { Public } from 'gatehouse';
import { startTestGateway, type RunningGateway } from 'gatehouse/testing';
import { __Name__ } from './__name__.policy.ts';

@Controller('probe')
@Public()
@__Name__()
class ProbeController {
  @Get()
  show(): { ok: boolean } {
    return { ok: true };
  }
}

@Module({ controllers: [ProbeController] })
class ProbeModule {}

describe('@__Name__', () => {
  let gateway: RunningGateway;

  before(async () => {
    gateway = await startTestGateway({
      config: { version: 1, modules: ['probe'] },
      modules: [{ name: 'probe', module: ProbeModule }],
    });
  });
  after(() => gateway?.stop());

  it('lets a caller through until the burst is spent, and says how long to wait', async () => {
    const ask = () => gateway.client().get('/probe');
    const answers = [await ask(), await ask(), await ask()];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 429],
    );
    assert.ok(Number(answers[2]?.headers['retry-after']) > 0);
  });
});
