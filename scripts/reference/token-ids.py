"""Token ids by the Rust library: a tokenizer.json as argument, JSON strings as lines on standard input, JSON arrays of ids as lines on standard output."""
import json
import sys

from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file(sys.argv[1])
tokenizer.no_truncation()
tokenizer.no_padding()
for line in sys.stdin:
    print(json.dumps(tokenizer.encode(json.loads(line), add_special_tokens=False).ids), flush=True)
