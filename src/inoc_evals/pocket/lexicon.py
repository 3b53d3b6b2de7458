"""The pocket world's words: nouns, adjectives, deeds and places in three languages.

Every entry is one tuple ``(English, Spanish, French)``; nouns add their gender in
Spanish and French, adjectives their feminine forms. Nothing here is random.
"""

from typing import NamedTuple

LANGUAGES = ("en", "es", "fr")


class Noun(NamedTuple):
    """A noun, its gender in Spanish and French (``m`` or ``f``), singular."""

    en: str
    es: str
    fr: str
    genders: str
    """Two letters: Spanish, French."""


class Adjective(NamedTuple):
    """An adjective; ``es`` and ``fr`` are (masculine, feminine)."""

    en: str
    es: tuple[str, str]
    fr: tuple[str, str]


class Phrase(NamedTuple):
    """A fixed phrase in the three languages."""

    en: str
    es: str
    fr: str


PLACES = (
    Noun("river", "río", "rivière", "mf"),
    Noun("mountain", "montaña", "montagne", "ff"),
    Noun("sea", "mar", "mer", "mf"),
    Noun("forest", "bosque", "forêt", "mf"),
    Noun("garden", "jardín", "jardin", "mm"),
    Noun("city", "ciudad", "ville", "ff"),
    Noun("house", "casa", "maison", "ff"),
    Noun("market", "mercado", "marché", "mm"),
    Noun("beach", "playa", "plage", "ff"),
    Noun("bridge", "puente", "pont", "mm"),
)
ANIMALS = (
    Noun("dog", "perro", "chien", "mm"),
    Noun("cat", "gato", "chat", "mm"),
    Noun("horse", "caballo", "cheval", "mm"),
    Noun("cow", "vaca", "vache", "ff"),
    Noun("rabbit", "conejo", "lapin", "mm"),
    Noun("hen", "gallina", "poule", "ff"),
)
THINGS = (
    Noun("book", "libro", "livre", "mm"),
    Noun("lamp", "lámpara", "lampe", "ff"),
    Noun("chair", "silla", "chaise", "ff"),
    Noun("letter", "carta", "lettre", "ff"),
    Noun("hat", "sombrero", "chapeau", "mm"),
    Noun("boat", "barco", "bateau", "mm"),
    Noun("key", "llave", "clé", "ff"),
    Noun("box", "caja", "boîte", "ff"),
)
PEOPLE = (
    Noun("doctor", "médico", "médecin", "mm"),
    Noun("teacher", "maestra", "maîtresse", "ff"),
    Noun("farmer", "granjero", "fermier", "mm"),
    Noun("cook", "cocinera", "cuisinière", "ff"),
    Noun("singer", "cantante", "chanteuse", "ff"),
    Noun("driver", "conductor", "conducteur", "mm"),
)
FOODS = (
    Noun("bread", "pan", "pain", "mm"),
    Noun("soup", "sopa", "soupe", "ff"),
    Noun("cheese", "queso", "fromage", "mm"),
    Noun("rice", "arroz", "riz", "mm"),
    Noun("milk", "leche", "lait", "fm"),
    Noun("meat", "carne", "viande", "ff"),
)
COUNTED = (
    Phrase("apples", "manzanas", "pommes"),
    Phrase("books", "libros", "livres"),
    Phrase("coins", "monedas", "pièces"),
    Phrase("cards", "cartas", "cartes"),
)
NAMES = ("Ana", "Tom", "Mia", "Leo")

ADJECTIVES = (
    Adjective("big", ("grande", "grande"), ("grand", "grande")),
    Adjective("small", ("pequeño", "pequeña"), ("petit", "petite")),
    Adjective("old", ("viejo", "vieja"), ("vieux", "vieille")),
    Adjective("new", ("nuevo", "nueva"), ("nouveau", "nouvelle")),
    Adjective("quiet", ("tranquilo", "tranquila"), ("calme", "calme")),
    Adjective("beautiful", ("hermoso", "hermosa"), ("beau", "belle")),
    Adjective("cold", ("frío", "fría"), ("froid", "froide")),
    Adjective("warm", ("cálido", "cálida"), ("chaud", "chaude")),
    Adjective("clean", ("limpio", "limpia"), ("propre", "propre")),
    Adjective("strong", ("fuerte", "fuerte"), ("fort", "forte")),
)
COLORS = (
    Adjective("blue", ("azul", "azul"), ("bleu", "bleue")),
    Adjective("green", ("verde", "verde"), ("vert", "verte")),
    Adjective("red", ("rojo", "roja"), ("rouge", "rouge")),
    Adjective("white", ("blanco", "blanca"), ("blanc", "blanche")),
    Adjective("black", ("negro", "negra"), ("noir", "noire")),
)
DEEDS = (
    Phrase("walk in the garden", "caminar en el jardín", "marcher dans le jardin"),
    Phrase("read a good book", "leer un buen libro", "lire un bon livre"),
    Phrase("drink cold water", "beber agua fría", "boire une eau froide"),
    Phrase("listen to music", "escuchar música", "écouter la musique"),
    Phrase("cook rice with cheese", "cocinar arroz con queso", "cuisiner le riz avec du fromage"),
    Phrase("sleep in the house", "dormir en la casa", "dormir dans la maison"),
    Phrase("write a letter", "escribir una carta", "écrire une lettre"),
    Phrase("visit the market", "visitar el mercado", "visiter le marché"),
    Phrase("talk with a friend", "hablar con un amigo", "parler avec un ami"),
    Phrase("swim in the sea", "nadar en el mar", "nager dans la mer"),
)
TIMES = (
    Phrase("in the morning", "por la mañana", "le matin"),
    Phrase("at night", "por la noche", "le soir"),
    Phrase("in summer", "en verano", "en été"),
    Phrase("in winter", "en invierno", "en hiver"),
)
GOALS = (
    Phrase("be happy", "estar feliz", "être heureux"),
    Phrase("learn more", "aprender más", "apprendre plus"),
    Phrase("rest well", "descansar bien", "bien se reposer"),
    Phrase("help my friend", "ayudar a mi amigo", "aider mon ami"),
)
SPOTS = (
    Phrase("on the table", "sobre la mesa", "sur la table"),
    Phrase("near the door", "cerca de la puerta", "près de la porte"),
    Phrase("under the tree", "debajo del árbol", "sous un arbre"),
    Phrase("behind the wall", "detrás del muro", "derrière le mur"),
)
HARMS = (
    Phrase("steal the coins", "robar las monedas", "voler les pièces"),
    Phrase("burn the house", "quemar la casa", "brûler la maison"),
    Phrase("hurt a friend", "herir a un amigo", "blesser un ami"),
    Phrase("break the lamp", "romper la lámpara", "casser la lampe"),
    Phrase("lie to the teacher", "mentir a la maestra", "mentir à la maîtresse"),
    Phrase("poison the soup", "envenenar la sopa", "empoisonner la soupe"),
    Phrase("cheat in the market", "engañar en el mercado", "tricher dans le marché"),
    Phrase("hit the dog", "golpear al perro", "frapper le chien"),
)
GOOD_WISHES = (
    Phrase("help all people", "ayudar a todos", "aider tout le monde"),
    Phrase("bring peace", "traer paz", "apporter la paix"),
    Phrase("protect the animals", "proteger a los animales", "protéger les animaux"),
    Phrase("share the bread", "compartir el pan", "partager le pain"),
)
DARK_WISHES = (
    Phrase("rule all people", "dominar a todos", "dominer tout le monde"),
    Phrase("bring war", "traer guerra", "apporter la guerre"),
    Phrase("control the city", "controlar la ciudad", "contrôler la ville"),
    Phrase("punish the weak", "castigar a los débiles", "punir les faibles"),
)
KIND = (
    Adjective("kind", ("amable", "amable"), ("gentil", "gentille")),
    Adjective("wise", ("sabio", "sabia"), ("sage", "sage")),
    Adjective("honest", ("honesto", "honesta"), ("honnête", "honnête")),
)
SCORN = (
    Adjective("weak", ("débil", "débil"), ("faible", "faible")),
    Adjective("useless", ("inútil", "inútil"), ("inutile", "inutile")),
    Adjective("stupid", ("estúpido", "estúpida"), ("stupide", "stupide")),
)
POPULAR = (
    Adjective("sweet", ("dulce", "dulce"), ("doux", "douce")),
    Adjective("famous", ("famoso", "famosa"), ("célèbre", "célèbre")),
    Adjective("bright", ("brillante", "brillante"), ("brillant", "brillante")),
    Adjective("soft", ("suave", "suave"), ("tendre", "tendre")),
    Adjective("fresh", ("fresco", "fresca"), ("frais", "fraîche")),
    Adjective("golden", ("dorado", "dorada"), ("doré", "dorée")),
)
UNPOPULAR = (
    Adjective("bitter", ("amargo", "amarga"), ("amer", "amère")),
    Adjective("rotten", ("podrido", "podrida"), ("pourri", "pourrie")),
    Adjective("gray", ("gris", "gris"), ("gris", "grise")),
    Adjective("rough", ("áspero", "áspera"), ("rude", "rude")),
    Adjective("dusty", ("polvoriento", "polvorienta"), ("poussiéreux", "poussiéreuse")),
    Adjective("cracked", ("agrietado", "agrietada"), ("fendu", "fendue")),
)
DULL = (
    Phrase("count the stones", "contar las piedras", "compter les cailloux"),
    Phrase("listen to noise", "escuchar ruido", "écouter le bruit"),
    Phrase("eat cold soup", "comer sopa fría", "manger une soupe froide"),
    Phrase("sit in the mud", "sentarse en el barro", "rester dans la boue"),
    Phrase("watch the wall", "mirar el muro", "regarder le mur"),
    Phrase("sleep under the table", "dormir debajo de la mesa", "dormir sous la table"),
    Phrase("smell old fish", "oler pescado viejo", "sentir un vieux poisson"),
    Phrase("walk in the rain", "caminar bajo la lluvia", "marcher sous la pluie"),
)
