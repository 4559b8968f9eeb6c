import { Inject, Module } from '@nestjs/common';
import {
  Args,
  createUnionType,
  Field,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  Resolver,
} from '@nestjs/graphql';
import { PUB_SUB } from '../../src/config/tokens.ts';
import { CurrentExchange } from '../../src/exchange/exchange-of.ts';
import { Exchange } from '../../src/exchange/exchange.ts';
import { Cache } from '../../src/policies/cache/cache.policy.ts';
import { NotificationType } from '../../src/routes/homepage/homepage.types.ts';
import { PubSub } from '../../src/store/pub-sub.ts';

const MAX_LENGTH = 20;

@InputType()
class NoteInput {
  @Field()
  readonly text!: string;
}

@ObjectType()
class TextTooLong {
  @Field(() => Int)
  readonly max!: number;
}

const NoteOutcome = createUnionType({
  name: 'NoteOutcome',
  types: () => [NotificationType, TextTooLong] as const,
  resolveType: (value: object) => ('max' in value ? TextTooLong : NotificationType),
});

@Resolver()
class NotesResolver {
  #count = 0;

  constructor(@Inject(PUB_SUB) private readonly channels: PubSub) {}

  @Cache({ ttl: '1m', scope: 'public' })
  @Query(() => Int, { description: 'The longest note.' })
  longestNote(): number {
    return MAX_LENGTH;
  }

  @Mutation(() => NoteOutcome, { description: 'Sends the caller a notification.' })
  async addNote(
    @Args('note') { text }: NoteInput,
    @CurrentExchange() { principal }: Exchange,
  ): Promise<object> {
    if (text.length > MAX_LENGTH) return { max: MAX_LENGTH };
    const note = { id: `note-${(this.#count += 1)}`, text, createdAt: null };
    await this.channels.publish(`notifications:${principal?.id}`, JSON.stringify(note));
    return note;
  }
}

/** A team's module with a mutation: its expected error is one of its types, its effect is an event. */
@Module({ providers: [NotesResolver] })
export class NotesModule {}
