import type { Route } from '../routing/route.ts';
import type { Leaving } from './openapi.ts';

/** What clients are told of a route that goes; undefined for one that stays. */
export function deprecationOf({ policies: { deprecation } }: Pick<Route, 'policies'>): Leaving | undefined {
  if (deprecation === undefined) return undefined;
  const { since, sunset, link, successor, afterSunset } = deprecation;
  return {
    since,
    ...(sunset === undefined ? {} : { sunset }),
    ...(successor === undefined ? {} : { successor }),
    ...(link === undefined ? {} : { link }),
    ...(afterSunset === 'gone' ? { afterSunset } : {}),
  };
}

/** The same in a sentence. */
export function sentenceOf({ since, sunset, successor, link, afterSunset }: Leaving): string {
  const until =
    sunset === undefined
      ? ''
      : `, ${afterSunset === undefined ? 'to go' : 'answered with 410'} from ${sunset} on`;
  const instead = successor === undefined ? '' : ` Use ${successor} instead.`;
  const more = link === undefined ? '' : ` See ${link}.`;
  return `Deprecated since ${since}${until}.${instead}${more}`;
}
