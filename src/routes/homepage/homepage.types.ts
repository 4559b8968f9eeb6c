import { Field, ID, Int, ObjectType } from '@nestjs/graphql';

/** The user whose homepage it is. */
@ObjectType('User', { description: 'A user.' })
export class UserType {
  @Field(() => ID)
  readonly id!: string;

  @Field()
  readonly name!: string;

  @Field()
  readonly email!: string;

  @Field(() => [String])
  readonly roles!: string[];

  @Field({ description: 'The plan that limits go by.' })
  readonly tier!: string;

  @Field({ description: 'The marketing segment.' })
  readonly segment!: string;
}

/** A user as everybody may see them. */
@ObjectType('Author', { description: 'Who published something.' })
export class AuthorType {
  @Field(() => ID)
  readonly id!: string;

  @Field()
  readonly name!: string;
}

/** One item of the feed; `FeedResolver` adds its author. */
@ObjectType('FeedItem', { description: 'Something that somebody published.' })
export class FeedItemType {
  @Field(() => ID)
  readonly id!: string;

  @Field()
  readonly title!: string;

  @Field(() => ID)
  readonly authorId!: string;

  @Field({ description: 'RFC 3339.' })
  readonly publishedAt!: string;
}

/** The newest items for a reader. */
@ObjectType('Feed', { description: 'What is new for a reader.' })
export class FeedType {
  @Field(() => [FeedItemType], { description: 'Newest first.' })
  readonly items!: FeedItemType[];
}

/** One notification. */
@ObjectType('Notification', { description: 'A notification that has not been read.' })
export class NotificationType {
  @Field(() => ID)
  readonly id!: string;

  @Field()
  readonly text!: string;

  @Field(() => String, { nullable: true, description: 'RFC 3339.' })
  readonly createdAt!: string | null;
}

/** Unread notifications. */
@ObjectType('Notifications', { description: 'What a user has not read yet.' })
export class NotificationsType {
  @Field(() => Int, { description: 'How many there are in all.' })
  readonly unread!: number;

  @Field(() => [NotificationType], { description: 'The latest of them, newest first.' })
  readonly latest!: readonly NotificationType[];
}

/** The sections of the view; `extensions.degraded` names those that their fallback stands in for. */
@ObjectType('Homepage', { description: 'The first screen of the caller.' })
export class HomepageType {
  @Field(() => UserType)
  readonly user!: UserType;

  @Field(() => FeedType)
  readonly feed!: FeedType;

  @Field(() => NotificationsType)
  readonly notifications!: NotificationsType;
}
