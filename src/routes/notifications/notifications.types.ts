import { Field, Int, ObjectType } from '@nestjs/graphql';
import { NotificationType } from '../homepage/homepage.types.ts';

/** A notification in the moment it is made. */
@ObjectType('WatchedNotification', { description: 'A notification as it is made.' })
export class WatchedNotificationType extends NotificationType {
  @Field(() => Int, { description: 'How many are unread with it.' })
  readonly unread!: number;
}
