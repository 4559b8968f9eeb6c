import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Query, Resolver } from '@nestjs/graphql';
import { serverAudits } from 'graphql-http';
import { startBff, type BffApp } from '../../bff-app.fixture.ts';

@Resolver()
class GreetingResolver {
  @Query(() => String)
  greeting(): string {
    return 'hello';
  }
}

let bff: BffApp;
beforeAll(async () => {
  bff = await startBff({ modules: [{ module: class GreetingModule {}, providers: [GreetingResolver] }] });
});
afterAll(() => bff.stop());

describe('GraphQL over HTTP', () => {
  const audits = serverAudits({ url: () => `${bff.url}/graphql` });

  it('is audited with 61 cases', () => {
    expect(audits).toHaveLength(61);
  });

  it.each(audits)('$id $name', async ({ fn }) => {
    expect(await fn()).toMatchObject({ status: 'ok' });
  });
});
