#!/usr/bin/env bash
# Builds everything again and compares it with what is committed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rm -rf .build
mkdir -p .build/dist
FANFARE_DIST=$PWD/.build/dist npm run --silent build >/dev/null
touch .build/dist/.keep
diff -rq ../dist .build/dist || {
  echo "internal/console/dist is not what the sources make: run make console, and commit it." >&2
  exit 1
}
npx openapi-typescript client/openapi.json --output .build/schema.d.ts --alphabetize >/dev/null 2>&1
cmp -s .build/schema.d.ts client/src/schema.d.ts || {
  echo "client/src/schema.d.ts is not that of client/openapi.json: run make console-types, and commit it." >&2
  exit 1
}
