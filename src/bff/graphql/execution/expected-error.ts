import { Field, InterfaceType, ObjectType } from '@nestjs/graphql';

/**
 * What a mutation answers, as data, when it did nothing for a reason that its client can act on. Each kind is a type
 * that implements this one, and a member of the union that the mutation returns, beside the type of its success.
 * Objects of a union say which member they are by `__typename`. Everything else that goes wrong is an error of
 * GraphQL with `extensions.code`.
 */
@InterfaceType('ExpectedError', {
  description: 'Why a mutation did nothing, where its client can do something about it.',
  resolveType: ({ __typename }: { __typename: string }) => __typename,
})
export abstract class ExpectedErrorType {
  @Field({ description: 'A constant of this kind of error, such as `out-of-stock`.' })
  readonly code!: string;

  @Field({ description: 'One sentence for people; not for programs.' })
  readonly message!: string;
}

/** Something that is wrong with a part of an input. */
@ObjectType('InputFault', { description: 'Something that is wrong with a part of an input.' })
export class InputFaultType {
  @Field({ description: 'A JSON pointer (RFC 6901) into the input; empty for the whole of it.' })
  readonly pointer!: string;

  @Field({ description: 'What is expected there.' })
  readonly message!: string;
}
