// Signs the head of the log, so that whoever keeps the signed note can later show it to others. A
// signed note (C2SP signed-note) over lines in the order of a checkpoint: name of the log, position,
// hash; then the era and the time of the last event. The hash is that of the chain, not the root of a
// Merkle tree.
//
// The key is made from the cluster secret, so every wharfd of a system signs with the same one, and
// it is nowhere in the log. Its name holds the beginning of its own digest.

import Crypto
import FoundationEssentials
import Hosting

import struct Hosting.Digest

package struct HeadSigner: Sendable {
  /// Ed25519, in the numbers of signed notes.
  private static let algorithm: UInt8 = 1
  private static let keyHashBytes = 4

  private let key: Curve25519.Signing.PrivateKey
  package let name: String
  private let keyHash: [UInt8]

  package init(_ secret: ClusterSecret) {
    let seed = secret.seal("head signing key").bytes
    do { key = try Curve25519.Signing.PrivateKey(rawRepresentation: seed) } catch {
      preconditionFailure("any 32 bytes are a key: \(error)")
    }
    let publicKey = Array(key.publicKey.rawRepresentation)
    name = "wharf/" + Array(Digest(sha256Of: publicKey).bytes.prefix(8)).hexadecimal
    let named = Array(name.utf8) + [UInt8(ascii: "\n"), Self.algorithm] + publicKey
    keyHash = Array(Digest(sha256Of: named).bytes.prefix(Self.keyHashBytes))
  }

  /// The verifier's key: `NAME+HASH+KEY`.
  package var verifierKey: String {
    let bytes = [Self.algorithm] + Array(key.publicKey.rawRepresentation)
    return "\(name)+\(keyHash.hexadecimal)+\(Data(bytes).base64EncodedString())"
  }

  /// The whole note: the text that is signed, an empty line, the signature.
  package func note(
    era: Position, position: Position, hash: Digest, recordedAt: Timestamp
  ) throws -> String {
    let text = """
      \(name)
      \(position)
      \(Data(hash.bytes).base64EncodedString())
      era \(era)
      recorded \(recordedAt)

      """
    let signature = try key.signature(for: Data(text.utf8))
    let line = Data(keyHash + Array(signature)).base64EncodedString()
    return "\(text)\n\u{2014} \(name) \(line)\n"
  }
}
