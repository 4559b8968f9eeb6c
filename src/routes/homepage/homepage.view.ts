import { kindByHeader } from '../../bff/view-variants.ts';
import { View } from '../../bff/view.ts';
import { getFeed } from '../services/feed.calls.ts';
import { getUnread } from '../services/notifications.calls.ts';
import { getUser } from '../services/users.calls.ts';
import { headlinesData, toHeadlines } from './headlines.mapper.ts';
import { homepageInput } from './homepage.input.ts';
import { HomepageType } from './homepage.types.ts';
import { notificationsData, toNotifications, unreadData } from './notifications.mapper.ts';

const FEED_ITEMS = 10;

/** The first screen: who you are, what is new, what you have not read. Only the user has to be there. */
export const Homepage = View.define('Homepage')
  .input<{ userId: string }>()
  .required('user', getUser, ({ input }) => ({ id: input.userId }), { budget: '1s' })
  .section('feed', getFeed, ({ input }) => ({ user: input.userId, first: FEED_ITEMS }), {
    budget: '500ms',
    fallback: () => ({ items: [] }),
  })
  .section(
    'notifications',
    async ({ input, call }) => toNotifications(await call(getUnread, { userId: input.userId })),
    { budget: '250ms', fallback: () => ({ unread: 0, latest: [] }) },
  );

/** The first screen as kinds of devices show it: `x-device: mobile` has room for headlines only, a tv reads nothing. */
export const Homepages = Homepage.variants(kindByHeader('x-device'), {
  mobile: (page) => page.pick('feed', toHeadlines).pick('notifications', ({ unread }) => ({ unread })),
  tv: (page) => page.without('notifications'),
});

/** Where it is: over REST in the shape for the device; over GraphQL whole, because queries choose for themselves. */
export const ExposedHomepage = Homepages.expose({
  rest: '/api/homepage',
  summary: 'Show the first screen',
  policies: { authentication: { schemes: ['jwt', 'apiKey'] } },
  input: ({ exchange }) => homepageInput(exchange),
  sections: { notifications: notificationsData },
  kinds: { mobile: { feed: headlinesData, notifications: unreadData } },
  graphql: {
    query: 'homepage',
    description: 'The first screen of the caller.',
    type: () => HomepageType,
    // Who may come is up to the door; who is nobody has no homepage.
    policies: {},
  },
});
