"""Languages that are near one another, told apart by their common words and spelling.

    weighed({"es": 0.9, "gl": 0.02}, ["o", "neno", "come", "unha", "mazá"])
    # {"es": 0.045, "gl": 0.38}: no Spanish text has "unha"

An identifier that goes by runs of letters takes a Galician or Catalan sentence for a Spanish
or Portuguese one, and is sure of it. Two things set that right. A language that is easily
mistaken for its neighbors is given more than it was (HIDDEN), so that a neighbor is sure only
where something speaks against it; and beside it, as the next likely one, a neighbor has to be surer
than elsewhere (needed_beside). And for each of eight languages a word speaks against it that
is one of another's commonest and none of its own (COMMON), or is spelled as it spells none
(NOT_SPELLED). A language that has no list loses a little by each common word of the eight.
"""

import re
from collections.abc import Mapping, Sequence
from math import exp
from typing import NamedTuple

BY_WORD = 3.0
"""By so much (of a logarithm) a common word speaks against a language that has it not."""
BY_SPELLING = 1.5
"""The same of a spelling."""
BY_WORD_OF_OTHERS = 0.8
"""The same against a language without a list, of which the word may be one."""


class Hidden(NamedTuple):
    """A language that is taken for others."""

    neighbors: tuple[str, ...]
    """Those it is taken for."""
    most: float
    """The most of their share that it may be given."""
    power: float
    """What its own share is raised to for that."""
    beside: float
    """The share that a neighbor needs where this language is the next likely one."""


HIDDEN = {
    "gl": Hidden(("es", "pt"), most=0.9, power=0.25, beside=0.85),
    "ca": Hidden(("es", "fr", "it", "pt"), most=0.25, power=0.5, beside=0.78),
}
"""The languages that are hidden by their neighbors."""

NOT_SPELLED = {
    "ca": "[ñâêîôûãõùìäößá]|[ln]h|ción",
    "de": "[áàâãçèêíìïñòóôõùúûî]|ción",
    "en": "[áàâãçèêíìïñòóôõùúûî]|ción",
    "es": "[àèìòùâêîôûãõçïäöß]|ss|^x|[ln]h|[bcfgkmptv]$",
    "fr": "[áíóúñãõòìäöß]|ción",
    "gl": "[àèìòùâêîôûãõçäöß]|ss|[jy]|lh|.nh[oae]s?$|[bcfgkmptv]$",
    "it": "[ñáçãõâêôûïäöß]|[jkwxy]|ción|[bcfgkmptv]$",
    "pt": "[ñèìîïòùûäöß]|..n$|ción|[bcfgkptv]$",
}
"""What no word of a language has, a few borrowed ones left aside."""

_COMMON = {
    "ca": """
        a abans agrada agraden ahir aigua així això al algun alguna algunes alguns allà als
        altra altre altres amb anem any anys aquell aquella aquest aquesta aquestes aquests
        aquí ara avui bo bon bona bé cada cal canvi canvia canvis cap casa cercar com contra
        cosa coses de del dels demà des després deu dins dir diu dona doncs dos dues durant
        el ell ella ells els em en encara ens entre era eren es estan estic està estàs et
        ets fer fet fins fitxer fitxers fora fou gent gran gràcies ha han havia he hem hi ho
        hola i ja jamai jo la les li llavors lloc lluny mai mal mateix mateixa mentre menys
        millor mira mitjançant molt molta moltes molts més n'hi ni nit no només nosaltres
        nostra nostre nostres nou nous nova o objectes on opcions opció pas pel pels per
        permeten perquè però pitjor poc podem poden pot pots potser prefereixo prop puc qual
        qualsevol quan que qui què res s'estan s'està s'ha s'han saber sap se segon segons
        següent sempre sense ser seran seria serà seu seus seva seves si sigui siguin sobre
        som sí sóc són tal tals també tant tanta temps tenen tenia tenien tot tota totes
        tots tres tu té un una unes uns us usuaris va vaig van vol volem vols vull és
    """,
    "de": """
        aber alle alles als am an auch auf aus bei beim besser bis bitte da danke dann das
        dass daß dein dem den der des dich die diese diesem diesen dieser dieses dort du
        durch e ein eine einem einen einer eines er es frau für gegen groß gut haben hallo
        haus heute hier ich ihm ihn ihr ihre ihren ihrer im in ist jahr jahre kann kannst
        kein keine keinen können mag man mann mehr mein mich mir mit morgen muss möchte
        müssen nach nacht nahe neu nicht noch nur ob oder ohne sagen sagt schon sehr sein
        seine seit sich sie sind so soll sollen um und uns unter viel viele vom von vor war
        waren was wasser weil weit weiß welche welcher welches wenig wenn wer werden wie
        will wir wird wissen wo worden wurde wurden zu zum zur zwischen über
    """,
    "en": """
        a about after all also an and any are as at be because been before being better
        between big both but by can can't cannot could couldn't did didn't do does doesn't
        don't down e each else far few for from good great had has have he hello her here
        him his house how i i'm if in into is isn't it it's its know like love man many may
        me might more most much must my near new night no not of on one only or other our
        out over please prefer same say says she should so some such than thanks that the
        their them then there these they this those three to today tomorrow two under until
        up us very want was water we were what when where which while who will with without
        woman won't would year years you your
    """,
    "es": """
        a agua ahora ahí al algo alguna algunas algunos algún allí ante antes aquí así ayer
        año años aún bien buen buena bueno cada casa cerca como con contra cosa cosas
        cualquier cuando cuándo cómo de debe deben decir del dentro desde después dice dijo
        donde dos durante dónde e el ella ellas ellos en entonces entre era eres es esa esas
        ese eso esos esta estar estas este esto estos estoy está están estás fue fuera
        fueron fuimos gente gracias gran grande gusta gustan gustaría ha había hace hacen
        hacer hacia han hasta hay he hicieron hizo hola hombre hoy jamás la las le lejos les
        lo los luego lugar mal mañana me mediante mejor menos mi mientras mira mis misma
        mismo mucha muchas mucho muchos mujer muy más nada ni ninguna ningún no noche nos
        nosotros nuestra nuestras nuestro nuestros nueva nuevo nunca o otra otras otro otros
        para peor pero poco podemos por porque prefiero puede pueden puedes puedo pues que
        queremos quien quiere quieres quiero quizás qué sabe saber se sea sean segundo según
        ser será serán sería si siempre siguiente sin sobre solo somos son soy su sus sí
        sólo tal tales también tanta tanto te tengo tenía tenían tiempo tiene tienen toda
        todas todavía todo todos tras tres tu tus tú u un una unas uno unos usted va vamos
        van voy y ya yo él
    """,
    "fr": """
        a aime aimes allons alors année années après au aucun aucune aujourd'hui aussi autre
        autres aux avaient avait avant avec avoir beaucoup bien bon bonjour bonne c'est car
        ce cela ces cet cette chaque chez chose choses comme comment contre d'un d'une dans
        de demain depuis des deux dire dit doit donc du durant eau elle elles en encore
        entre est et faire fait femme gens grand grande hier homme il ils jamais je jusqu
        l'on la le les leur leurs lieu loin lors lui là ma mais maison mal me meilleur merci
        mes mieux mis moins mon même n'est ne ni non nos notre nous nouveau nouvelle nuit on
        ont ou oui où par parce pas pendant peu peut peuvent peux pire plus pour pouvons
        près préfère qu qu'il qu'un quand que quelque quelques qui quoi regarde rien sa sait
        sans savoir se selon sera serait seront ses si sommes son sont sous suis suivant
        suivante sur ta tant te tel telle temps tes ton toujours tous tout toute toutes
        trois très tu un une va vais vers veut veux vont vos votre voulons vous y à ça était
        été être
    """,
    "gl": """
        a agora algunha algunhas alguén algún algúns alí ano anos antes ao aos aquí as así
        ata até auga aí aínda ben bo boa cada cal cales calquera cando casa che como con
        contra contrasinal cousa cousas cun cunha da das de debe deben dende dentro desde
        desexa desexas despois desta deste di dicir dixo do dos dous dun dunha durante dúas
        e ela elas eles en engadir entre entón era esa esas ese eses esta estar estas este
        estes estou está están estás eu facer fai fan fixen fixeron fixo foi fomos foron
        fose fóra gran grande grazas gusta gustan gústame había hai hoxe imos iso isto lle
        lles logo lonxe lugar mais mal mañá me mediante mellor menos mentres mesma mesmo meu
        mira miña moi moita moitas moito moitos muller máis na nada nas nesta neste nin
        ningunha ninguén ningún no noite non nos nosa nosas noso nosos nova novo nun nunca
        nunha nós o ola onde onte os ou outra outras outro outros para peor pero pode
        podemos poden podes podo pola polas polo polos por porque porén pouco prefiro preto
        páxina páxinas que quen quere queremos queres quero quizais sabe saber se seguinte
        segundo sempre sen ser será serán sería seu seus sexa sexan si sobre somos son só
        súa súas tal tales tamén tanta tanto te tempo ten ter teu teñen teño ti tiña tiñan
        toda todas todo todos tres túa túas un unha unhas uns vai van vosa voso vostede
        vostedes vou xa xamais xeito xente xeral á ás é ós
    """,
    "it": """
        a acqua agli ai al alcune alcuni all alla alle allo allora altra altre altri altro
        anche ancora andiamo anni anno avere aveva avevano bene buon buona buono c'è casa
        che chi ci ciao con contro cosa cose così cui da dai dal dall dalla dalle degli dei
        del dell della delle dello dentro deve devono di dice dire disse domani donna dopo
        dove durante e ed era erano essere fanno fare fece fino forse fra fuori furono gente
        già gli grande grazie guarda ha hanno ho i ieri il in io la le lei lo lontano loro
        lui luogo là lì ma mai male meglio meno mentre mi mio molta molte molti molto ne
        negli nei nel nell nella nelle nello nessun nessuna niente no noi non nostra nostre
        nostri nostro notte nulla nuova nuovo né o od oggi ogni ora peggio per perché
        piacciono piace più poco possiamo posso possono preferisco prima puoi può qualche
        quale qualsiasi quando quei quella quelli quello questa queste questi questo qui sa
        sapere saranno sarebbe sarà se secondo seguente sei sempre senza si sia siamo solo
        sono stai stata stati stato stessa stesso sto su sua sue sui sul sull sulla sulle
        suo suoi sì tale tali tanta tanto tempo ti tra tre tu tua tuo tutta tutte tutti
        tutto un una uno uomo va vado vanno vi vicino vogliamo voglio voi vuoi vuole è
    """,
    "pt": """
        a agora ainda algum alguma algumas alguns ali amanhã ano anos antes ao aos aquele
        aqui as assim até aí bem boa bom cada casa cerca coisa coisas com como contra da das
        de dentro depois desde dessa desse desta deste deve devem disse diz dizer do dois
        dos duas durante e ela elas ele eles em enquanto entre então era essa essas esse
        esses esta estar estas este estes estou está estás estão eu faz fazem fazer fez
        fizeram foi fomos for fora foram gente gosta gosto grande havia hoje homem há isso
        isto jamais já lhe lhes logo longe lugar mais mal mas me mediante melhor menos mesma
        mesmo meu minha muita muitas muito muitos mulher na nada nas nem nenhum nenhuma
        nessa nesse nesta neste no noite nos nossa nossas nosso nossos nova novo num numa
        nunca não nós o obrigado olha olá onde ontem os ou outra outras outro outros para
        pela pelas pelo pelos perto pior pode podem podemos podes por porque posso pouco
        prefiro quais qual qualquer quando que quem quer queremos queres quero quê sabe
        saber se seguinte segundo seja sejam sem sempre ser seria será serão seu seus sim
        sobre somos sou sua suas são só tais tal talvez também tanta tanto te tem tempo
        tenho ter teu tinha tinham toda todas todo todos três tu tua tudo têm um uma umas
        uns vai vamos você vou vão à às água é és
    """,
}
COMMON = {language: frozenset(words.split()) for language, words in _COMMON.items()}
"""The commonest words of a language, those that everyday answers begin with, and the "e" of "e.g."."""

_LONGEST = 40
"""Letters of a word; what is longer is none."""
_ANY = frozenset().union(*COMMON.values())
_SPELLINGS = {language: re.compile(pattern) for language, pattern in NOT_SPELLED.items()}


def needed_beside(language: str, next_likely: str | None) -> float:
    """Return the share that a language needs at least, by which one is next likely."""
    hidden = HIDDEN.get(next_likely or "")
    return hidden.beside if hidden and language in hidden.neighbors else 0.0


def weighed(shares: Mapping[str, float], words: Sequence[str]) -> dict[str, float]:
    """Return what is left of each language's share, now that every word has been looked at.

    Args:
        shares: ISO 639-1 code to the probability that an identifier gives a language.
        words: The words of the text in lower case.
    """
    left = dict(shares)
    for language, hidden in HIDDEN.items():
        if language in shares:
            nearest = max(shares.get(neighbor, 0.0) for neighbor in hidden.neighbors)
            given = min(hidden.most * nearest, shares[language] ** hidden.power)
            left[language] = max(shares[language], given)
    against = dict.fromkeys(COMMON, 0.0)
    common = 0
    for word in (word.replace("’", "'") for word in words):
        common += word in _ANY
        for language, weight in _against(word).items():
            against[language] += weight
    others = BY_WORD_OF_OTHERS * common
    return {
        language: share * exp(-against.get(language, others)) for language, share in left.items()
    }


def _against(word: str) -> dict[str, float]:
    """Return the languages that a word speaks against, and how much."""
    if word in _ANY:
        return {language: BY_WORD for language, own in COMMON.items() if word not in own}
    if len(word) < 3 or len(word) > _LONGEST:
        return {}
    return {code: BY_SPELLING for code, pattern in _SPELLINGS.items() if pattern.search(word)}
