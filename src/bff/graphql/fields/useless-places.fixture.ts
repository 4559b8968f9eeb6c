import { Controller, Get, Injectable, Module, type Type } from '@nestjs/common';
import { Args, ArgsType, Field, InputType, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { shown } from './field-places.fixture.ts';
import { optional, text, type Placed, type Places } from './placed.fixture.ts';

/** Places at which nothing looks for policies. */
export const USELESS: Places = {
  'an input'(on, id) {
    @on
    @InputType(`In${id}`)
    class Input {
      @Field(text)
      name!: string;
    }
    return taking(Input, id);
  },
  'a property of an input'(on, id) {
    @InputType(`Pr${id}`)
    class Input {
      @on
      @Field(text)
      name!: string;
    }
    return taking(Input, id);
  },
  arguments(on, id) {
    @on
    @ArgsType()
    class Arguments {
      @Field(text, optional)
      name!: string;
    }
    return withArguments(Arguments, id);
  },
  'a property of arguments'(on, id) {
    @ArgsType()
    class Arguments {
      @on
      @Field(text, optional)
      name!: string;
    }
    return withArguments(Arguments, id);
  },
  'a property that is no field'(on, id) {
    @ObjectType(`X${id}`)
    class Shown {
      @Field(text, optional)
      secret!: string;
      @on
      hidden!: string;
    }
    return shown(Shown, id);
  },
  'a method of a resolver that resolves nothing'(on, id) {
    @Resolver()
    class RootResolver {
      @Query(text, { name: `none${id}` })
      root(): string {
        return this.other();
      }
      @on
      other(): string {
        return '';
      }
    }
    return { providers: [RootResolver] };
  },
  'a property of a resolver'(on, id) {
    @Resolver()
    class RootResolver {
      @on
      readonly state = 1;
      @Query(text, { name: `prop${id}` })
      root(): string {
        return '';
      }
    }
    return { providers: [RootResolver] };
  },
  'a service'(on) {
    @on
    @Injectable()
    class Service {}
    return { providers: [Service] };
  },
  'a method of a service that a factory makes'(on, id) {
    class Service {
      @on
      work(): void {}
    }
    return { providers: [{ provide: `service${id}`, useFactory: () => new Service() }] };
  },
  'a module'(on) {
    @on
    @Module({})
    class PlacedModule {}
    return { module: PlacedModule };
  },
  'a method of a controller that is no handler'(on, id) {
    @Controller(`n${id}`)
    class PlacedController {
      @on
      other(): void {}
    }
    return { controllers: [PlacedController] };
  },
  'a property of a controller'(on, id) {
    @Controller(`p${id}`)
    class PlacedController {
      @on
      readonly state = 1;
      @Get()
      answer(): string {
        return '';
      }
    }
    return { controllers: [PlacedController] };
  },
};

function taking(input: Type, id: string): Placed {
  @Resolver()
  class TakeResolver {
    @Query(text, { name: `take${id}` })
    take(@Args('given', { type: () => input, nullable: true }) _given: object): string {
      return '';
    }
  }
  return { providers: [TakeResolver] };
}

function withArguments(type: Type, id: string): Placed {
  @Resolver()
  class ArgumentsResolver {
    @Query(text, { name: `args${id}` })
    take(@Args({ type: () => type }) _given: object): string {
      return '';
    }
  }
  return { providers: [ArgumentsResolver] };
}
