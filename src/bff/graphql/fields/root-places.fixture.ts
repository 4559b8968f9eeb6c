import { Controller, Get } from '@nestjs/common';
import { Mutation, Query, Resolver, Subscription } from '@nestjs/graphql';
import { text, type Places } from './placed.fixture.ts';

/** Places at the root. */
export const ROOTS: Places = {
  'a query'(on, id) {
    @Resolver()
    class RootResolver {
      @on
      @Query(text, { name: `root${id}`, nullable: true })
      root(): string {
        return 'secret';
      }
    }
    return { providers: [RootResolver], query: `{ root${id} }` };
  },
  'a mutation'(on, id) {
    @Resolver()
    class RootResolver {
      @on
      @Mutation(text, { name: `change${id}`, nullable: true })
      root(): string {
        return 'secret';
      }
    }
    return { providers: [RootResolver], query: `mutation { change${id} }` };
  },
  'a subscription'(on, id) {
    @Resolver()
    class RootResolver {
      @on
      @Subscription(text, { name: `event${id}`, nullable: true })
      async *root(): AsyncGenerator<object> {
        yield { [`event${id}`]: 'secret' };
      }
    }
    return { providers: [RootResolver], query: `subscription { event${id} }` };
  },
  'a query that is overridden'(on, id) {
    class Base {
      @on
      root(): string {
        return '';
      }
    }
    @Resolver()
    class RootResolver extends Base {
      @Query(text, { name: `over${id}`, nullable: true })
      override root(): string {
        return 'secret';
      }
    }
    return { providers: [RootResolver], query: `{ over${id} }` };
  },
  'a query of a resolver that a factory makes'(on, id) {
    @Resolver()
    class RootResolver {
      @on
      @Query(text, { name: `made${id}`, nullable: true })
      root(): string {
        return 'secret';
      }
    }
    const made = { provide: `made${id}`, useFactory: () => new RootResolver() };
    return { providers: [made], query: `{ made${id} }` };
  },
};

/** A class whose policies hold for all that it resolves. */
export const RESOLVERS: Places = {
  'a resolver class'(on, id) {
    @on
    @Resolver()
    class RootResolver {
      @Query(text, { name: `class${id}`, nullable: true })
      root(): string {
        return 'secret';
      }
    }
    return { providers: [RootResolver], query: `{ class${id} }` };
  },
  'the base class of a resolver class'(on, id) {
    @on
    class Base {}
    @Resolver()
    class RootResolver extends Base {
      @Query(text, { name: `sub${id}`, nullable: true })
      root(): string {
        return 'secret';
      }
    }
    return { providers: [RootResolver], query: `{ sub${id} }` };
  },
};

/** Places at which all policies of requests hold. */
export const HANDLERS: Places = {
  'a controller class'(on, id) {
    @on
    @Controller(`c${id}`)
    class PlacedController {
      @Get()
      answer(): string {
        return 'secret';
      }
    }
    return { controllers: [PlacedController] };
  },
  'a handler'(on, id) {
    @Controller(`h${id}`)
    class PlacedController {
      @on
      @Get()
      answer(): string {
        return 'secret';
      }
    }
    return { controllers: [PlacedController] };
  },
  'a handler that is overridden'(on, id) {
    class Base {
      @on
      answer(): string {
        return '';
      }
    }
    @Controller(`o${id}`)
    class PlacedController extends Base {
      @Get()
      override answer(): string {
        return 'secret';
      }
    }
    return { controllers: [PlacedController] };
  },
};
