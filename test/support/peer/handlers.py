"""The services of the peer, and what they remember of the calls that they got."""

import base64
import threading
import time

import grpc


class Call:
    """One call, as the service has seen it."""

    def __init__(self, method, context):
        self.method = method
        self.remaining = context.time_remaining()
        self.metadata = [[name, _text(value)] for name, value in context.invocation_metadata()]
        self.requests = []
        self.end = "open"
        self.context = context

    def finish(self, end):
        """Notes how the service ended the call, unless the other side has ended it before."""
        if self.end == "open" and self.context.is_active():
            self.end = end

    def ended(self):
        # What ends without a word of the service was ended by the other side.
        if self.end == "open":
            remaining = self.context.time_remaining()
            self.end = "deadline" if remaining is not None and remaining <= 0 else "cancelled"

    def as_json(self):
        return {
            "method": self.method,
            "remainingMs": None if self.remaining is None else self.remaining * 1000,
            "metadata": self.metadata,
            "requests": [base64.b64encode(one).decode() for one in self.requests],
            "end": self.end,
        }


class Recorder:
    """Remembers calls, and holds what the test wants of the next ones."""

    def __init__(self, schema):
        self.schema = schema
        self._calls = []
        self._go = threading.Event()
        self.behave()

    def behave(self, hold=False, status=None, header=(), trailer=(), answer=None, gzip=False):
        """Forgets all calls and says how the next ones are answered."""
        self._go.set()
        self._calls = []
        self._go = threading.Event()
        if not hold:
            self._go.set()
        self.status, self.header, self.trailer = status, header, trailer
        self.answer = None if answer is None else base64.b64decode(answer)
        self.gzip = gzip

    def release(self):
        """Lets held calls go on."""
        self._go.set()

    def calls(self):
        """What came since the last `behave`."""
        return [call.as_json() for call in self._calls]

    def begin(self, method, context):
        """Notes a call and says its header."""
        call = Call(method, context)
        self._calls.append(call)
        context.add_callback(call.ended)
        if self.gzip:
            context.set_compression(grpc.Compression.Gzip)
        context.set_trailing_metadata(_pairs(self.trailer))
        if self.header:
            context.send_initial_metadata(_pairs(self.header))
        return call

    def wait(self, context):
        """Waits for the test, for as long as somebody waits for the answer."""
        while context.is_active() and not self._go.wait(0.01):
            pass

    def refuse(self, call, context):
        """Ends the call with the status that the test wants, if it wants one."""
        if self.status is None:
            return
        call.finish("refused")
        trailers = _pairs(self.trailer)
        if "rich" in self.status:
            rich = self.schema.from_json("google.rpc.Status", self.status["rich"])
            trailers += (("grpc-status-details-bin", rich.SerializeToString()),)
        context.set_trailing_metadata(trailers)
        context.abort(getattr(grpc.StatusCode, self.status["code"]), self.status["details"])


def kinds(schema, recorder):
    """`test.v1.Kinds` and `test.v1.Shapes`: unary methods answer what they are sent, byte for byte."""
    Tick, CountRequest = schema.message("test.v1.Tick"), schema.message("test.v1.CountRequest")

    def unary(method):
        def handle(request, context):
            call = recorder.begin(method, context)
            call.requests.append(request)
            recorder.wait(context)
            recorder.refuse(call, context)
            call.finish("answered")
            return request if recorder.answer is None else recorder.answer

        return grpc.unary_unary_rpc_method_handler(handle)

    def count(request, context):
        call = recorder.begin("Count", context)
        call.requests.append(request)
        wanted = CountRequest.FromString(request)
        if wanted.fail_after == 0:
            recorder.refuse(call, context)
        for number in range(1, wanted.to + 1):
            if not context.is_active():
                return
            yield Tick(number=number, note="x" * wanted.padding).SerializeToString()
            if number == wanted.fail_after:
                recorder.refuse(call, context)
            recorder.wait(context)
        call.finish("answered")

    def sum_up(requests, context):
        call = recorder.begin("Sum", context)
        total = CountRequest()
        for request in requests:
            call.requests.append(request)
            total.to += Tick.FromString(request).number
            total.padding += 1
        # Python may hear of a broken upload as of its end, a moment before it hears that it is broken.
        time.sleep(0.05)
        recorder.refuse(call, context)
        call.finish("answered")
        return total.SerializeToString()

    def chat(requests, context):
        call = recorder.begin("Chat", context)
        for request in requests:
            call.requests.append(request)
            tick = Tick.FromString(request)
            tick.number *= 2
            yield tick.SerializeToString()
        recorder.refuse(call, context)
        call.finish("answered")

    names = ("Echo", "Cancel", "Get", "Pick", "Store", "Nothing", "Free", "Fill", "Take", "Weigh")
    return {
        **{name: unary(name) for name in names},
        "Count": grpc.unary_stream_rpc_method_handler(count),
        "Sum": grpc.stream_unary_rpc_method_handler(sum_up),
        "Chat": grpc.stream_stream_rpc_method_handler(chat),
    }


class Orders:
    """`shop.v1.Orders` with orders in memory, as its proto says."""

    def __init__(self, schema, recorder):
        self.schema, self.recorder = schema, recorder
        self.orders = []

    def handlers(self):
        return {
            name: grpc.unary_unary_rpc_method_handler(self._handler(name, handle))
            for name, handle in (("ListOrders", self.list), ("GetOrder", self.get), ("CreateOrder", self.create))
        }

    def list(self, request, user, context):
        mine = [order for order in reversed(self.orders) if order.user_id == user]
        return self.schema.message("shop.v1.ListOrdersResponse")(orders=mine[: request.page_size or 20])

    def get(self, request, user, context):
        found = next((order for order in self.orders if order.id == request.id and order.user_id == user), None)
        if found is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"SELECT * FROM orders: no {request.id}")
        return self.schema.message("shop.v1.GetOrderResponse")(order=found)

    def create(self, request, user, context):
        order = self.schema.message("shop.v1.Order")(
            id=f"py-{len(self.orders) + 1}", user_id=user, status=1, items=request.items, currency="EUR"
        )
        order.total_cents = sum(item.quantity for item in request.items) * 2**53 + 1
        order.created_at.FromJsonString("2026-01-02T03:04:05.000006Z")
        if request.HasField("note"):
            order.note = request.note
        self.orders.append(order)
        return self.schema.message("shop.v1.CreateOrderResponse")(order=order)

    def _handler(self, name, handle):
        request_type = self.schema.message(f"shop.v1.{name}Request")

        def run(request, context):
            call = self.recorder.begin(name, context)
            call.requests.append(request)
            self.recorder.wait(context)
            self.recorder.refuse(call, context)
            call.finish("answered")
            user = dict(context.invocation_metadata()).get("x-user-id")
            if user is None:
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "no x-user-id")
            answer = handle(request_type.FromString(request), user, context)
            return answer.SerializeToString()

        return run


def _text(value):
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _pairs(pairs):
    """Metadata of pairs; a name that ends in -bin has its value in base64."""
    return tuple((name, base64.b64decode(value) if name.endswith("-bin") else value) for name, value in pairs)
