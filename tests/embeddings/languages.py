"""Facts in six languages, each with a question that uses other words where the language allows it.

The rows are the same ten facts in every language, so that a fact in one can be asked about in another.
"""

from __future__ import annotations

LANGUAGES = ("de", "ru", "zh", "ja", "es", "ar")

FACTS: dict[str, tuple[tuple[str, str], ...]] = {
    "de": (
        ("Annas Hund heißt Balou und ist neun Jahre alt.", "Welches Haustier hat sie?"),
        ("Der Nutzer bevorzugt ein dunkles Farbschema.", "Wie soll die Oberfläche aussehen?"),
        ("Unser Server steht in einem Rechenzentrum in Frankfurt.", "Wo läuft die Maschine?"),
        ("Marek verträgt keine Erdnüsse.", "Wogegen ist er allergisch?"),
        ("Die Miete wird am ersten Werktag des Monats überwiesen.", "Wann muss die Wohnung bezahlt werden?"),
        ("Der Schlüssel zum Schuppen liegt unter dem Blumentopf.", "Wie komme ich in das Gartenhaus?"),
        ("Sophie lernt seit dem Herbst Cello.", "Welches Instrument spielt sie?"),
        ("Das Auto muss im April zur Inspektion.", "Wann braucht der Wagen eine Wartung?"),
        ("Wir fliegen im August nach Lissabon.", "Wohin geht die Reise im Sommer?"),
        ("Die Datenbank wird jede Nacht um drei Uhr gesichert.", "Wann entstehen die Backups?"),
    ),
    "ru": (
        ("Собаку Анны зовут Балу, ей девять лет.", "Какое у неё домашнее животное?"),
        ("Пользователь предпочитает тёмную тему.", "Как должен выглядеть интерфейс?"),
        ("Наш сервер стоит в дата-центре во Франкфурте.", "Где работает машина?"),
        ("Мареку нельзя есть арахис.", "На что у него аллергия?"),
        ("Аренда переводится в первый рабочий день месяца.", "Когда нужно платить за квартиру?"),
        ("Ключ от сарая лежит под цветочным горшком.", "Как попасть в садовый домик?"),
        ("Софи с осени учится играть на виолончели.", "Каким инструментом она занимается?"),
        ("Автомобилю в апреле нужен техосмотр.", "Когда машине нужно обслуживание?"),
        ("В августе мы летим в Лиссабон.", "Куда мы едем летом?"),
        ("База данных сохраняется каждую ночь в три часа.", "Когда делаются резервные копии?"),
    ),
    "zh": (
        ("安娜的狗叫巴鲁，今年九岁。", "她养了什么宠物？"),
        ("用户喜欢深色主题。", "界面应该是什么样子？"),
        ("我们的服务器在法兰克福的数据中心。", "机器在哪里运行？"),
        ("马雷克不能吃花生。", "他对什么过敏？"),
        ("房租在每月第一个工作日转账。", "什么时候要付公寓的钱？"),
        ("棚子的钥匙在花盆下面。", "怎么进花园小屋？"),
        ("苏菲从秋天开始学大提琴。", "她演奏什么乐器？"),
        ("汽车四月份需要检修。", "车什么时候要保养？"),
        ("我们八月飞往里斯本。", "夏天去哪里旅行？"),
        ("数据库每天凌晨三点保存副本。", "什么时候做备份？"),
    ),
    "ja": (
        ("アンナの犬はバルーという名前で、九歳です。", "彼女はどんなペットを飼っていますか？"),
        ("ユーザーは暗いテーマを好みます。", "画面の見た目はどうすればいいですか？"),
        ("私たちのサーバーはフランクフルトのデータセンターにあります。", "マシンはどこで動いていますか？"),
        ("マレクはピーナッツを食べられません。", "彼は何のアレルギーですか？"),
        ("家賃は毎月最初の平日に振り込みます。", "アパートの支払いはいつですか？"),
        ("物置の鍵は植木鉢の下にあります。", "庭の小屋にはどうやって入りますか？"),
        ("ソフィーは秋からチェロを習っています。", "彼女はどの楽器を弾きますか？"),
        ("車は四月に点検が必要です。", "自動車の整備はいつですか？"),
        ("私たちは八月にリスボンへ飛びます。", "夏の旅行先はどこですか？"),
        ("データベースは毎晩三時に保存されます。", "バックアップはいつ取られますか？"),
    ),
    "es": (
        ("El perro de Anna se llama Balú y tiene nueve años.", "¿Qué mascota tiene ella?"),
        ("El usuario prefiere el tema oscuro.", "¿Cómo debe verse la interfaz?"),
        ("Nuestro servidor está en un centro de datos de Fráncfort.", "¿Dónde funciona la máquina?"),
        ("Marek no puede comer cacahuetes.", "¿A qué es alérgico?"),
        ("El alquiler se transfiere el primer día hábil del mes.", "¿Cuándo hay que pagar el piso?"),
        ("La llave del cobertizo está debajo de la maceta.", "¿Cómo entro en la caseta del jardín?"),
        ("Sophie estudia violonchelo desde el otoño.", "¿Qué instrumento toca?"),
        ("El coche necesita una revisión en abril.", "¿Cuándo toca el mantenimiento del automóvil?"),
        ("En agosto volamos a Lisboa.", "¿Adónde vamos de viaje en verano?"),
        ("La base de datos se guarda cada noche a las tres.", "¿Cuándo se hacen las copias de seguridad?"),
    ),
    "ar": (
        ("كلب آنا اسمه بالو وعمره تسع سنوات.", "ما الحيوان الأليف الذي تملكه؟"),
        ("يفضل المستخدم المظهر الداكن.", "كيف يجب أن تبدو الواجهة؟"),
        ("خادمنا موجود في مركز بيانات في فرانكفورت.", "أين تعمل الآلة؟"),
        ("لا يستطيع ماريك أكل الفول السوداني.", "مما يعاني من الحساسية؟"),
        ("يُحوَّل الإيجار في أول يوم عمل من الشهر.", "متى يجب دفع ثمن الشقة؟"),
        ("مفتاح المخزن تحت أصيص الزهور.", "كيف أدخل كوخ الحديقة؟"),
        ("تتعلم صوفي العزف على التشيلو منذ الخريف.", "على أي آلة موسيقية تعزف؟"),
        ("تحتاج السيارة إلى فحص في أبريل.", "متى موعد صيانة المركبة؟"),
        ("سنسافر إلى لشبونة في أغسطس.", "إلى أين الرحلة في الصيف؟"),
        ("تُحفظ قاعدة البيانات كل ليلة في الساعة الثالثة.", "متى تُجرى النسخ الاحتياطية؟"),
    ),
}  # fmt: skip

OTHERS = (
    "The ferry to the island leaves at seven in the morning.",
    "Quarterly revenue grew by eleven percent.",
    "Boil the lentils until they are soft.",
    "Die Bibliothek hat montags geschlossen.",
    "Der Zug nach Bern hatte zwanzig Minuten Verspätung.",
    "Im Keller riecht es nach feuchtem Holz.",
    "Вчера в горах выпал первый снег.",
    "Директор школы ушёл на пенсию.",
    "Этот роман перевели на двадцать языков.",
    "图书馆星期一不开门。",
    "山上昨天下了第一场雪。",
    "这部小说被翻译成二十种语言。",
    "図書館は月曜日が休みです。",
    "昨日、山に初雪が降りました。",
    "校長先生は引退しました。",
    "La biblioteca cierra los lunes.",
    "El director de la escuela se ha jubilado.",
    "Ayer cayó la primera nieve en la montaña.",
    "المكتبة مغلقة يوم الاثنين.",
    "تقاعد مدير المدرسة.",
    "تُرجمت هذه الرواية إلى عشرين لغة.",
)
"""What else is stored: about other things, in all those languages."""
