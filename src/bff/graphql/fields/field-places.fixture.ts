import type { Type } from '@nestjs/common';
import { Field, InterfaceType, ObjectType, PickType, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { Calls } from './calls.decorator.ts';
import { optional, secret, text, type Placed, type Places } from './placed.fixture.ts';

/** A query for something of a type. */
export function shown(type: Type, id: string): Placed {
  if (!type.name.endsWith(id)) Object.defineProperty(type, 'name', { value: type.name + id });
  @Resolver()
  class ShowResolver {
    @Query(() => type, { name: `show${id}`, nullable: true })
    show(): object {
      return secret;
    }
  }
  return { providers: [ShowResolver], query: `{ show${id} { secret } }` };
}

/** A type that implements an interface. */
function implemented(Interface: Type, id: string, type?: Type): Placed {
  @ObjectType(`Implements${id}`, { implements: () => [Interface] })
  class Implementing {
    @Field(text)
    id!: string;
  }
  return shown(type ?? Implementing, id);
}

/** Places of fields, at which the policies of fields hold. */
export const FIELDS: Places = {
  'a property of an object type'(on, id) {
    @ObjectType(`P${id}`)
    class Shown {
      @on
      @Field(text, optional)
      secret!: string;
    }
    return shown(Shown, id);
  },
  'a property with another name than its field'(on, id) {
    @ObjectType(`N${id}`)
    class Shown {
      @on
      @Field(text, { ...optional, name: 'secret' })
      secret_!: string;
    }
    return { ...shown(Shown, id), query: `{ show${id} { secret } }` };
  },
  'an accessor of an object type'(on, id) {
    @ObjectType(`G${id}`)
    class Shown {
      @on
      @Field(text, optional)
      get secret(): string {
        return 'secret';
      }
    }
    return shown(Shown, id);
  },
  'a property of a base class'(on, id) {
    @ObjectType(`B${id}`, { isAbstract: true })
    class Base {
      @on
      @Field(text, optional)
      secret!: string;
    }
    @ObjectType(`D${id}`)
    class Shown extends Base {}
    return shown(Shown, id);
  },
  'a property of a base class, repeated'(on, id) {
    class Base {
      @on
      secret!: string;
    }
    @ObjectType(`R${id}`)
    class Shown extends Base {
      @Field(text, optional)
      declare secret: string;
    }
    return shown(Shown, id);
  },
  'a property of a mixin'(on, id) {
    const mixin = (): Type => {
      @ObjectType({ isAbstract: true })
      class Mixed {
        @on
        @Field(text, optional)
        secret!: string;
      }
      return Mixed;
    };
    @ObjectType(`M${id}`)
    class Shown extends mixin() {}
    return shown(Shown, id);
  },
  'a property that PickType takes over, repeated'(on, id) {
    @ObjectType(`Whole${id}`)
    class Whole {
      @on
      @Field(text, optional)
      secret!: string;
    }
    @ObjectType(`Picked${id}`)
    class Shown extends PickType(Whole, ['secret']) {
      @Field(text, optional)
      declare secret: string;
    }
    return shown(Shown, id);
  },
  'a property of an interface'(on, id) {
    @InterfaceType(`I${id}`)
    abstract class Interface {
      @on
      @Field(text, optional)
      secret!: string;
    }
    return implemented(Interface as Type, id);
  },
  'a property of an interface that the class repeats'(on, id) {
    @InterfaceType(`J${id}`)
    abstract class Interface {
      @on
      @Field(text, optional)
      secret!: string;
    }
    @ObjectType(`K${id}`, { implements: () => [Interface] })
    class Shown {
      @Field(text, optional)
      secret!: string;
    }
    return implemented(Interface as Type, id, Shown);
  },
  'a field resolver of an interface'(on, id) {
    @InterfaceType(`L${id}`)
    abstract class Interface {
      @Field(text, optional)
      secret!: string;
    }
    @Resolver(() => Interface)
    class InterfaceResolver {
      @on
      @Calls()
      @ResolveField(text, optional)
      secret(): string {
        return 'secret';
      }
    }
    const { providers = [], query = '' } = implemented(Interface as Type, id);
    return { providers: [...providers, InterfaceResolver], query };
  },
  'a field resolver of a declared field'(on, id) {
    @ObjectType(`F${id}`)
    class Shown {
      @Field(text, optional)
      secret!: string;
    }
    @Resolver(() => Shown)
    class FieldResolver {
      @on
      @Calls()
      @ResolveField(text, optional)
      secret(): string {
        return 'secret';
      }
    }
    const { providers = [], query = '' } = shown(Shown, id);
    return { providers: [...providers, FieldResolver], query };
  },
};

/** Places that stand for all fields of a type. */
export const TYPES: Places = {
  'an object type'(on, id) {
    @on
    @ObjectType(`T${id}`)
    class Shown {
      @Field(text, optional)
      secret!: string;
    }
    return shown(Shown, id);
  },
  'the base class of an object type'(on, id) {
    @on
    class Base {}
    @ObjectType(`U${id}`)
    class Shown extends Base {
      @Field(text, optional)
      secret!: string;
    }
    return shown(Shown, id);
  },
  'an interface'(on, id) {
    @on
    @InterfaceType(`V${id}`)
    abstract class Interface {
      @Field(text, optional)
      secret!: string;
    }
    return implemented(Interface as Type, id);
  },
};
