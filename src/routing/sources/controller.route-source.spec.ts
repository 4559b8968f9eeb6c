import { All, Controller, Delete, Get, Post, UseGuards } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { Public } from '../../policies/authentication/authentication.policy.ts';
import { Roles } from '../../policies/authorization/authorization.policy.ts';
import { Deadline } from '../../policies/deadline/deadline.policy.ts';
import { controllerRoutes, handlerRouteId } from './controller.route-source.ts';

@Public()
@Deadline('5s')
@Controller('orders')
class OrdersController {
  @Get()
  list(): string {
    return this.helper();
  }

  @Roles('admin')
  @Deadline('off')
  @Get(':id/items/:item')
  item(): void {}

  @Post(['', 'bulk'])
  create(): void {}

  @All('*')
  rest(): void {}

  helper(): string {
    return 'not a handler';
  }
}

@Controller(['v1/things', '/v2/things/'])
class ThingsController {
  @Get('/:id/')
  one(): void {}
}

class BaseController {
  @Get('health')
  health(): void {}

  @Delete(':id')
  remove(): void {}
}

@Controller('cats')
class CatsController extends BaseController {
  @Deadline('1s')
  @Delete('all')
  override remove(): void {}
}

@UseGuards()
@Controller()
class RootController {
  @Get()
  index(): void {}
}

const briefly = (routes: ReturnType<typeof controllerRoutes>) =>
  routes.map(({ id, match }) => `${id}: ${match.methods.join(',') || '*'} ${match.path}`);

describe('controllerRoutes', () => {
  it('reads paths and methods of every handler, and of nothing else', () => {
    expect(briefly(controllerRoutes([OrdersController]))).toEqual([
      'orders.list: GET /orders',
      'orders.item: GET /orders/{id}/items/{item}',
      'orders.create: POST /orders',
      'orders.create: POST /orders/bulk',
      'orders.rest: * /orders/*',
    ]);
  });

  it('combines the prefixes of a controller with its paths', () => {
    expect(briefly(controllerRoutes([ThingsController, RootController]))).toEqual([
      'things.one: GET /v1/things/{id}',
      'things.one: GET /v2/things/{id}',
      'root.index: GET /',
    ]);
  });

  it('reads inherited handlers, overridden ones once', () => {
    expect(briefly(controllerRoutes([CatsController]))).toEqual([
      'cats.remove: DELETE /cats/all',
      'cats.health: GET /cats/health',
    ]);
  });

  it('says where the route was declared, and that a handler answers it', () => {
    expect(controllerRoutes([RootController])[0]).toMatchObject({
      door: 'handler',
      origin: 'RootController.index',
      match: { hosts: [], headers: {} },
    });
  });

  it('keeps the policies of the method before those of the class, parsed', () => {
    const [list, item] = controllerRoutes([OrdersController]);
    const ofClass = { authentication: 'public', deadline: 5000 };
    expect(list?.policies).toEqual([{}, ofClass]);
    expect(item?.policies).toEqual([{ authorization: { anyRole: ['admin'] }, deadline: 'off' }, ofClass]);
  });
});

describe('handlerRouteId', () => {
  it('is the feature and the handler', () => {
    class OrderHistoryController {}
    class Plain {}
    expect(handlerRouteId(OrderHistoryController, 'list')).toBe('orderHistory.list');
    expect(handlerRouteId(Plain, 'one')).toBe('plain.one');
  });
});
