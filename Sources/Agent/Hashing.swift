// SHA-256, for digests of secrets and of what was told.

import Crypto
import Hosting

extension Hosting.Digest {
  static func sha256(_ bytes: [UInt8]) -> Hosting.Digest {
    Hosting.Digest(bytes: Array(SHA256.hash(data: bytes)))
  }
}
