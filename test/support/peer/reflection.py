"""Server reflection (grpc.reflection.v1) over the descriptors of the peer, for what has no package in Debian."""

import grpc


def reflection(schema):
    """The one method of `grpc.reflection.v1.ServerReflection`."""
    Request = schema.message("grpc.reflection.v1.ServerReflectionRequest")
    Response = schema.message("grpc.reflection.v1.ServerReflectionResponse")

    def find(request):
        if request.WhichOneof("message_request") == "file_by_filename":
            return request.file_by_filename
        symbol = request.file_containing_symbol
        return schema.pool.FindFileContainingSymbol(symbol).name

    def info(requests, context):
        for bytes_ in requests:
            request = Request.FromString(bytes_)
            response = Response()
            try:
                response.file_descriptor_response.file_descriptor_proto.append(schema.files[find(request)])
            except KeyError:
                response.error_response.error_code = grpc.StatusCode.NOT_FOUND.value[0]
                response.error_response.error_message = "not found"
            yield response.SerializeToString()

    return {"ServerReflectionInfo": grpc.stream_stream_rpc_method_handler(info)}
