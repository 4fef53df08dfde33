// Secrets that people and machines present: made by whoever will hold them, shown once, and known to
// the log by their digest only.

import Crypto
import Hosting

import struct Hosting.Digest

package struct Secret: Hashable, Sendable, CustomStringConvertible {
  /// What a secret opens; the first part of its text, so that a leaked one is recognised.
  package enum Use: String, Sendable {
    case person = "wharf-person"
    case invitation = "wharf-invitation"
    case apiKey = "wharf-key"
    case join = "wharf-join"
    case node = "wharf-node"
    case gateway = "wharf-gateway"
  }

  private static let randomWords = 4
  /// Longer texts are nobody's secret and are not hashed.
  package static let longest = 200

  /// What is sent as the bearer token.
  package let text: String

  package init(text: String) { self.text = text }

  /// 256 random bits.
  package init(_ use: Use, using random: inout some RandomNumberGenerator) {
    let bytes = (0..<Self.randomWords).flatMap { _ in
      withUnsafeBytes(of: random.next()) { Array($0) }
    }
    text = "\(use.rawValue)-\(bytes.hexadecimal)"
  }

  /// What the log knows it by. The text has 256 random bits, so a plain digest gives nothing away.
  package var digest: Digest { Self.digest(of: Array(text.utf8)) }

  package static func digest(of bytes: [UInt8]) -> Digest {
    Digest(bytes: Array(SHA256.hash(data: bytes)))
  }

  /// By which people tell their secrets apart.
  package var prefix: String { String(text.prefix(text.count < 24 ? 4 : text.count - 56)) }

  package var description: String { "\(prefix)…" }
}
