/**
 * Makes sure that the tests find a Python with gRPC and protobuf: the gRPC service in another language that the
 * gateway is tested with (`test/support/peer`) runs on it.
 */
import { pythonWithGrpc } from './python-with-grpc.ts';
import { aptInstall, ensureTool } from './system-package.ts';

ensureTool({
  name: 'python3 with grpcio and protobuf',
  missing: 'no python3 on PATH has both modules',
  find: pythonWithGrpc,
  packages: {
    'apt-get': {
      advice: 'sudo apt-get install python3-grpcio python3-protobuf',
      install: aptInstall('python3-grpcio python3-protobuf'),
    },
    apk: {
      advice: 'apk add py3-grpcio py3-protobuf',
      install: 'apk add --quiet --no-cache py3-grpcio py3-protobuf >/dev/null',
    },
    dnf: {
      advice: 'sudo dnf install python3-grpcio python3-protobuf',
      install: 'dnf install -y -q python3-grpcio python3-protobuf >/dev/null',
    },
  },
  elsewhere: [
    'macOS:   python3 -m venv ~/.grpc-peer && ~/.grpc-peer/bin/pip install grpcio protobuf, then PATH="$PATH:$HOME/.grpc-peer/bin" npm test',
    'Arch:    sudo pacman -S python-grpcio python-protobuf',
    "Nix:     nix-shell -p 'python3.withPackages (p: [ p.grpcio p.protobuf ])'",
    'Windows: run the tests in WSL, then as on Debian',
  ],
});
