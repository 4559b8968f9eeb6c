import { kindByHeader } from '../../bff/view-variants.ts';
import { View } from '../../bff/view.ts';
import { getFeed } from '../services/feed.calls.ts';
import { getUnread } from '../services/notifications.calls.ts';
import { getUser } from '../services/users.calls.ts';
import { toHeadlines } from './headlines.mapper.ts';
import { toNotifications } from './notifications.mapper.ts';

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
