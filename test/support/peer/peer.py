"""A gRPC service in another language, and the canonical JSON of protobuf as Google's own library writes it.

Everything is told over stdin and answered on stdout, one JSON object per line: first `{"sets", "services", "port"}`,
answered with `{"port"}` when the server listens; then `{"id", "op", ...}`, answered with `{"id", "result"}` or
`{"id", "error"}`. It ends when stdin does, so that it cannot outlive the test that started it. No generated code:
messages are made of the descriptors that come over stdin.
"""

import base64
import json
import sys
import threading
from concurrent import futures

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

from handlers import Orders, Recorder, kinds
from reflection import reflection


class Schema:
    """Message classes and services of descriptor sets."""

    def __init__(self, sets):
        self.pool = descriptor_pool.DescriptorPool()
        self.files = {}
        for encoded in sets:
            parsed = descriptor_pb2.FileDescriptorSet.FromString(base64.b64decode(encoded))
            for file in parsed.file:
                if file.name not in self.files:
                    self.files[file.name] = file.SerializeToString()
                    self.pool.AddSerializedFile(self.files[file.name])

    def message(self, name):
        """The class of a message type."""
        descriptor = self.pool.FindMessageTypeByName(name)
        if hasattr(message_factory, "GetMessageClass"):
            return message_factory.GetMessageClass(descriptor)
        return message_factory.MessageFactory(self.pool).GetPrototype(descriptor)

    def to_json(self, message, defaults=False):
        """The canonical JSON of a message; with the fields that hold their default, if asked for."""
        options = {"descriptor_pool": self.pool, "indent": None, "ensure_ascii": False}
        if not defaults:
            return json_format.MessageToJson(message, **options)
        try:  # Renamed in protobuf 5.26.
            return json_format.MessageToJson(message, always_print_fields_with_no_presence=True, **options)
        except TypeError:
            return json_format.MessageToJson(message, including_default_value_fields=True, **options)

    def from_json(self, name, text):
        """The message that a JSON text means."""
        return json_format.Parse(text, self.message(name)(), descriptor_pool=self.pool)


class Oracle:
    """What the canonical mapping says about messages and texts."""

    def __init__(self, schema):
        self.schema = schema

    def print(self, type, messages, defaults=False):
        """JSON texts of messages in their binary form; null for one that has no JSON."""
        return [self._print(type, message, defaults) for message in messages]

    def parse(self, type, texts):
        """Messages in their binary form of JSON texts; null for a text that is none."""
        return [self._parse(type, text) for text in texts]

    def _print(self, type, message, defaults):
        try:
            parsed = self.schema.message(type).FromString(base64.b64decode(message))
            return self.schema.to_json(parsed, defaults)
        except Exception:
            return None

    def _parse(self, type, text):
        try:
            return base64.b64encode(self.schema.from_json(type, text).SerializeToString()).decode()
        except Exception:
            return None


def serve(schema, services, port):
    """Starts the server; returns it, its port and what records its calls."""
    recorder = Recorder(schema)
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=24),
        options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)],
    )
    handlers = {
        "test.v1.Kinds": lambda: kinds(schema, recorder),
        "test.v1.Shapes": lambda: kinds(schema, recorder),
        "shop.v1.Orders": lambda: Orders(schema, recorder).handlers(),
        "grpc.reflection.v1.ServerReflection": lambda: reflection(schema),
    }
    for service in services:
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers[service]()),))
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server, bound, recorder


def main():
    hello = json.loads(sys.stdin.readline())
    schema = Schema(hello["sets"])
    server, port, recorder = serve(schema, hello["services"], hello["port"])
    oracle = Oracle(schema)
    operations = {
        "print": oracle.print,
        "parse": oracle.parse,
        "behave": recorder.behave,
        "release": recorder.release,
        "calls": recorder.calls,
    }
    say({"port": port})
    for line in sys.stdin:
        request = json.loads(line)
        operation, number = operations[request.pop("op")], request.pop("id")
        try:
            say({"id": number, "result": operation(**request)})
        except Exception as error:  # The test is told, and fails with these words.
            say({"id": number, "error": f"{type(error).__name__}: {error}"})
    recorder.release()
    server.stop(None)


_stdout = threading.Lock()


def say(what):
    with _stdout:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()


main()
