// The test keys of libp2p specs, peer-ids/peer-ids.md ("Test vectors"; 7740c07), as hex of their
// protobufs, and the peer ids of their public halves.
// The signatures over kSignedText were made with the private keys of that page by
// `openssl dgst -sha256 -sign` (OpenSSL 3.0, PKCS#1 v1.5 for RSA, DER for the curves).
#pragma once

#include <string_view>

namespace kadmesh::spec_keys {

inline constexpr std::string_view kEd25519Private =
    "080112407e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d1ed1e8fae2c4a144b8"
    "be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e";

inline constexpr std::string_view kEd25519Public =
    "080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e";

inline constexpr std::string_view kSecp256k1Public =
    "08021221037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99";

inline constexpr std::string_view kEcdsaPublic =
    "0803125b3059301306072a8648ce3d020106082a8648ce3d03010703420004de3d300fa36ae0e8f5d530899d83"
    "abab44abf3161f162a4bc901d8e6ecda020e8b6d5f8da30525e71d6851510c098e5c47c646a597fb4dcec034e9"
    "f77c409e62";

inline constexpr std::string_view kRsaPublic =
    "080012a60430820222300d06092a864886f70d01010105000382020f003082020a0282020100e1beab071d0820"
    "0bde24eef00d049449b07770ff9910257b2d7d5dda242ce8f0e2f12e1af4b32d9efd2c090f66b0f29986dbb645"
    "dae9880089704a94e5066d594162ae6ee8892e6ec70701db0a6c445c04778eb3de1293aa1a23c3825b85c6620a"
    "2bc3f82f9b0c309bc0ab3aeb1873282bebd3da03c33e76c21e9beb172fd44c9e43be32e2c99827033cf8d0f0c6"
    "06f4579326c930eb4e854395ad941256542c793902185153c474bed109d6ff5141ebf9cd256cf58893a37f8372"
    "9f97e7cb435ec679d2e33901d27bb35aa0d7e20561da08885ef0abbf8e2fb48d6a5487047a9ecb1ad41fa7ed84"
    "f6e3e8ecd5d98b3982d2a901b4454991766da295ab78822add5612a2df83bcee814cf50973e80d7ef38111b1bd"
    "87da2ae92438a2c8cbcc70b31ee319939a3b9c761dbc13b5c086d6b64bf7ae7dacc14622375d92a8ff9af7eb96"
    "2162bbddebf90acb32adb5e4e4029f1c96019949ecfbfeffd7ac1e3fbcc6b6168c34be3d5a2e5999fcbb39bba7"
    "adbca78eab09b9bc39f7fa4b93411f4cc175e70c0a083e96bfaefb04a9580b4753c1738a6a760ae1afd851a1a4"
    "bdad231cf56e9284d832483df215a46c1c21bdf0c6cfe951c18f1ee4078c79c13d63edb6e14feaeffabc90ad31"
    "7e4875fe648101b0864097e998f0ca3025ef9638cd2b0caecd3770ab54a1d9c6ca959b0f5dcbc90caeefc4135b"
    "aca6fd475224269bbe1b0203010001";

inline constexpr std::string_view kSecp256k1Private =
    "0802122053dadf1d5a164d6b4acdb15e24aa4c5b1d3461bdbd42abedb0a4404d56ced8fb";

inline constexpr std::string_view kEd25519Id =
    "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq";
inline constexpr std::string_view kSecp256k1Id =
    "16Uiu2HAmLhLvBoYaoZfaMUKuibM6ac163GwKY74c5kiSLg5KvLpY";
inline constexpr std::string_view kEcdsaId = "QmVMT29id3TUASyfZZ6k9hmNyc2nYabCo4uMSpDw4zrgDk";
inline constexpr std::string_view kRsaId = "QmaeANgBs1DTSxWSrPPtobgQuxW8XTfsS4ydbK4rCHzqxG";

inline constexpr std::string_view kSignedText = "kadmesh: a message to sign";
inline constexpr std::string_view kEcdsaSignature =
    "30460221009fdadf41961f0c3ad89a2f23fc031b13de2939d7eb02997c883072ea9ce692bd022100b9f7691d76"
    "570fe313a5d29154ab2d5509c3caa679c7b942bb08dd875d7060cc";
inline constexpr std::string_view kSecp256k1Signature =
    "3045022071e138bd146b4cd00dde679a89995ee775548a2042b42270255dcfb01aed965c02210097839b6b07b9"
    "f781ad83655dcb95eb7b1bc8641e0d58c738257e15e2919d1a75";
inline constexpr std::string_view kRsaSignature =
    "3456b58369d264ca851e0dbcf81450c10968ea515452d42c8d3c32d2084ab571823695a634b6f8c015ca3fad94"
    "d8f7fb421a1e7b77eb682643030fb441618aea9cae26a024c88c50f58d9409f7360fbf7bc167fca24bf72f087a"
    "f2d6a509327307acfe49e44ba21216a19664138cebbcebeae52b0425b8ea79021cf773b89785547bb307e3f8f4"
    "1cda5c086ec1536dc2f309ba2f3d4d03325e0bfa5b0793a19ea06b39ddbc7ac965626a386e0ba4ce782a9a2c70"
    "678075e005d23d22c6224eb6c3029b0098ce77ca99d25f35e43c8e44af9bbbc765903dd771156f1d44e2bb916d"
    "e94778f4ead591fe1aff9bda51612e00acdcd870f3249487ebfdb92f08a446d9935cde10bc6ee17bc58eb04867"
    "1d27fd5b7bc89b13d45b227b4208cb37039a7bba5be69db6abe9e4293bf313418dd485774b9b25410b74f8a76b"
    "a2dcd645fa9990cc6496c68fe2310210432a5540e05ce1099dc92b64b670b171adfd6124168c287a8b54c9d0d0"
    "e5b9c19e3868b132b96a066e29616d155c38b8d4923ce98335ab49212edba66f32cf13f487ebc830f2ba25aa43"
    "922625af6604e2ee23dd291aee383b62daa82d5081210b27e97545e9e3ac9a20e837be68c144c1f1f2980a0a32"
    "60d0a32b78c65b244ac9ce87ec26a0accc38edbc5f36a867488087de230a6999a2f1475b8b1262f42e0792b18e"
    "147010d85b167394262e77ea9ad8956814";

}  // namespace kadmesh::spec_keys
