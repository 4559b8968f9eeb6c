import { privatePage } from './private-page.ts';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import { graphiqlPolicy } from '../../src/bff/graphql/door/graphiql-page.ts';
import type { HttpRoute, Reply } from '../services/http-routes.ts';
import type { IdentityService } from '../services/identity.ts';

const HOUR_MS = 3_600_000;
/** Somebody may leave the page open over night. */
const TOKEN_LIFE_S = 12 * 3600;

const QUERY = `# You are Bob: see "Headers" below.
# Ctrl-Enter runs the query,
# Ctrl-Space completes a name.
#
# Three services answer. Leave a part out
# and its service is not called.

query Homepage {
  homepage {
    user {
      name
      tier
    }
    notifications {
      unread
      latest {
        text
      }
    }
    feed {
      items {
        title
        author {
          name
        }
      }
    }
  }
}
`;

/**
 * `GET /graphiql`: GraphiQL for the GraphQL door of its own origin, with a token of the sample user. For a demo only:
 * whoever may read the page has the token. No other site may, no cache keeps it, and it is in no address.
 */
export function graphiqlRoute(identity: Pick<IdentityService, 'token'>): HttpRoute {
  let page: Promise<Reply> | undefined;
  let until = 0;
  return {
    method: 'GET',
    path: '/graphiql',
    handle: () => {
      if (page === undefined || until < Date.now()) {
        until = Date.now() + HOUR_MS;
        page = render(identity);
      }
      return page;
    },
  };
}

async function render(identity: Pick<IdentityService, 'token'>): Promise<Reply> {
  const token = await identity.token('user', { exp: Math.floor(Date.now() / 1000) + TOKEN_LIFE_S });
  const options = {
    title: 'Gatehouse',
    favicon: 'data:,',
    endpoint: '/graphql',
    // Not `defaultQuery`, which gives way to what the browser keeps of GraphiQL at `/graphql`.
    query: QUERY,
    headers: JSON.stringify({ authorization: `Bearer ${token}` }, null, 2),
    defaultEditorToolsVisibility: 'headers',
    shouldPersistHeaders: false,
    subscriptionsProtocol: 'GRAPHQL_SSE',
  } as const;
  const html = renderGraphiQL(options);
  return privatePage(html, graphiqlPolicy(html));
}
